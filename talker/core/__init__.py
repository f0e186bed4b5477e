"""What every other package stands on: types, errors, cameras, files, locks, metrics. Knows no takes and no fields."""
