"""What talker can do, as functions: the command line, the studio and `import talker` all call `commands`."""
