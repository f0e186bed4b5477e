from __future__ import annotations

import pytest

from talker.core.errors import BadInput
from talker.editors.builtin.parser import describe, parse
from talker.editors.builtin.styles import STYLES
from talker.editors.builtin.vocabulary import COLOURS, REGION_OPERATORS, known_edits

UNDERSTOOD = {
    "make him a Van Gogh painting": "Van Gogh painting",
    "Turn her into a painting by Vincent van Gogh, with thick, swirling strokes": "Van Gogh painting",
    "an oil painting in the style of van Gogh": "Van Gogh painting",
    "oil on canvas please": "oil painting",
    "make it a water color": "watercolour",
    "turn him into a pencil sketch": "pencil sketch",
    "black and white pencil drawing": "pencil sketch",
    "a charcoal drawing of her face": "charcoal drawing",
    "make him a cartoon character": "cartoon",
    "as a comic book hero": "comic book",
    "turn it into a sepia photograph from 1900": "old photo",
    "make this an old family picture": "old photo",
    "black & white film noir": "black-and-white photo",
    "what would he look like as a marble bust?": "marble statue",
    "cast him in bronze": "bronze statue",
    "make him a solid gold statue": "golden statue",
    "make the weather cold and snowy": "winter light",
    "put him in the moonlight": "night light",
    "golden hour lighting": "sunset light",
    "dye the hair crimson": "hair crimson",
    "make her blonde": "hair blonde",
    "give him dark red hair": "hair dark red",
    "paint his face green": "skin green",
    "in front of a light gray wall": "background light grey",
    "make the background #ff8800": "background #ff8800",
    "put red lipstick on her": "lips red",
    "give him a navy suit": "clothes navy",
    "make him bronze and the background blue": "bronze statue, background blue",
    "a blue background and a pencil sketch": "pencil sketch, background blue",
    "a pencil sketch with a blue background": "pencil sketch, background blue",
    "make his hair and skin blue": "hair blue, skin blue",
    "red hair, a white shirt and a black background": "hair red, clothes white, background black",
    "turn the background into a Van Gogh painting": "Van Gogh painting on the background",
    "make it slightly winter": "winter light (50%)",
    "turn this man into a marble statue": "marble statue",
    # endings, contractions and American spelling
    "cartoonify her": "cartoon",
    "what if he'd been drawn in a watercolor style?": "watercolour",
    "slightly pinker lips": "lips pink (50%)",
    # words before a colour say which; alone they are styles
    "jet-black hair": "hair black",
    "neon green hair": "hair green",
    "pastel pink background": "background light pink",
    "make his skin jade green": "skin green",
    "hair as white as snow": "hair white",
    "a gold dress": "clothes gold",
    "dye his hair #3366ff blue": "hair #3366ff",
    "make him gold": "golden statue",
    # what is there now is not what it should become
    "change the red shirt to blue": "clothes blue",
    "replace the blue background with a green one": "background green",
    "turn the white wall black": "background black",
    "turn the blue wall into a mosaic": "mosaic on the background",
    # one of each kind, in the order in which they can be made
    "a pencil sketch of a marble statue by candlelight": "marble statue, candlelight, pencil sketch",
    "purple hair and lips": "hair purple, lips purple",
    "a blue background, his skin and hair green": "background blue, skin green, hair green",
    "make him a cartoon but keep the background": "cartoon on the person",
    "turn everything except the background into a sketch": "pencil sketch on the person",
    "make everything a sketch, but his hair blue": "pencil sketch, hair blue",
    "make him 30% bronze": "bronze statue (30%)",
    "drain the colour out of the video": "black-and-white photo",
    "photo from the 1890s": "old photo",
    # what stays as it is, where that is no more than the edit leaves alone
    "put a Van Gogh style on the backdrop and leave the person as she is": "Van Gogh painting on the background",
    "blue hair, everything else unchanged": "hair blue",
    "make him marble and leave everything else as it is": "marble statue",
    "make the shirt navy but the background yellow": "clothes navy, background yellow",
    # said twice, it is one edit
    "turn her face to marble, just the face": "marble statue on the face",
    "rendered in thick oils, van Gogh fashion": "Van Gogh painting",
    # verbs that are spelt as a part, and parts as verbs
    "I think crimson would suit her lips": "lips crimson",
    "coat his jacket in green": "clothes green",
    "top it off with red lips": "lips red",
    # what there is now, and likenesses
    "this background is ugly, change it to beige": "background beige",
    "I'm not keen on that shirt, make it blue": "clothes blue",
    "change the lady in the red dress into a marble statue": "marble statue",
    "let's see the lady in a red dress": "clothes red",
    "her lips are too red, make them pink": "lips pink",
    "green skin, like an alien costume test": "skin green",
    # weaker
    "just a touch of Van Gogh, nothing too strong": "Van Gogh painting (50%)",
    "pop art, but toned down": "pop art (50%)",
    "a little redder lips": "lips red (50%)",
    "a faint charcoal look on the hair": "charcoal drawing on the hair (40%)",
}

NOT_UNDERSTOOD = [
    "make him an old man",
    "make him look old",
    "make him look old with red hair",
    "turn it into a photo of an old man",
    "bronze statue of an old man",
    "make her a man with red hair",
    "make him smile",
    "turn him into Edvard Munch's painting",
    "make him a painting",
    "give her a blue mohawk",
    "don't make him bronze",
    "a sketch without hair",
    "make his eyes blue",
    "make him blue",
    "remove the background",
    "pencil sketch cartoon",
    "red and blue hair",
    "transforme-le en statue de marbre",
    "make his hair",
    "make him a winner",
    "a winter coat",
    "a neon shirt",
    "turn the wooden wall blue",
    "make the background wooden",
    "put a bronze statue behind him",
    "an oil painting on the wall",
    "turn night into day",
    "turn her into Snow White",
    "a coloured pencil drawing",
    "black and white hair",
    "light his hair with candles",
    "only the background as a watercolour, not the background",
    "make it 300% bronze",
    "make it pastel coloured",
    "bronze, but no hair",
    # a thing in the room, in a hand or on a shirt
    "put a bronze statue next to the speaker",
    "let it snow in the room",
    "give her a pencil",
    "there should be a neon sign behind her",
    "a cartoon on his shirt",
    "have a pencil in his mouth",
    "put him in front of a stained glass window",
    "put the video in a gold frame",
    "a comic book in his hand",
    "moon behind her",
    "a bronze statue with a cloak",
    "a bronze statue with a whip",
    "make his hair blue and give him a cloak",
    "make the hair blue and add a frame",
    "make him a bronze statue throwing a stick",
    # a feeling
    "make her a happy bronze statue",
    "a serious bronze statue",
    # what the person is to do
    "let her paint an oil painting",
    "have her face the wall in red",
    "make him face a marble statue",
    # a part of the picture, and of the time
    "make the top of the picture blue",
    "part of his hair blue",
    "make him a statue at the end",
    "gradually turn into a pencil sketch",
    # both changed and left
    "make the background blue and don't touch the background",
    "make her hair red and leave her as she is",
    "a cartoon, everything else unchanged",
    # no wish at all
    "what is pop art?",
    "is this an oil painting?",
    "take away the neon",
    "turn down the colour",
    "",
]


@pytest.mark.parametrize(("instruction", "meaning"), UNDERSTOOD.items())
def test_understood(instruction, meaning):
    assert describe(parse(instruction)) == meaning


@pytest.mark.parametrize("instruction", NOT_UNDERSTOOD)
def test_never_guesses(instruction):
    with pytest.raises(BadInput) as caught:
        parse(instruction)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "instruction",
    [
        "make everything but the face blue",
        "make anything but the face a sketch",
        "everything but his hair bronze",
        "all of him but his hair bronze",
        "the whole picture but his hair a mosaic",
        "make him bronze except for his hair",
        "a sketch of everything apart from the lips",
    ],
)
def test_an_exception_is_not_what_changes(instruction):
    with pytest.raises(BadInput, match="--keep"):
        parse(instruction)


@pytest.mark.parametrize("instruction", ["everything except the background", "everything but the background blue"])
def test_all_but_the_background_is_still_not_an_edit(instruction):
    with pytest.raises(BadInput):
        parse(instruction)


def test_unknown_names_the_words_the_nearest_and_the_way_out():
    with pytest.raises(BadInput) as caught:
        parse("make it look like a Rembrandt in watercolours")
    message = str(caught.value)
    assert "'rembrandt'" in message and "nearest: oil painting" in message and len(message) < 320
    assert "talker edit --help" in message and "--editor ip2p --model timbrooks/instruct-pix2pix" in message


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("make the backgroud blue", "'backgroud' in 'make the backgroud blue'; nearest: background;"),
        ("dye his hiar green", "nearest: hair;"),
        ("make him a broze statue", "nearest: bronze statue, marble statue, silver statue;"),
        ("make the hair purpel", "nearest: purple;"),
        ("make him xyzzy", "'xyzzy' in 'make him xyzzy', nor anything like it;"),
    ],
)
def test_what_is_near_is_near_the_unknown_word(instruction, words):
    with pytest.raises(BadInput) as caught:
        parse(instruction)
    assert words in str(caught.value)


def test_what_is_known_can_be_listed():
    listed = dict(known_edits())
    assert all(style.title in listed["styles"] for style in STYLES)
    assert all(name in listed["colours"] for name in (*REGION_OPERATORS, *COLOURS))


@pytest.mark.parametrize(
    ("instruction", "flags"),
    [
        ("make him bronze but leave the hair as it is", "with --keep hair"),
        ("keep the hair and the skin, make him bronze", "with --keep hair --keep skin"),
        ("don't touch her face, cartoon", "with --keep face"),
        ("make it a mosaic with his clothes untouched", "with --keep clothes"),
        ("a sketch of everything apart from the lips", "with --keep face"),
        ("bronze, leave his head and clothes alone", "with --keep face --keep hair --keep clothes"),
    ],
)
def test_what_is_to_stay_is_for_keep(instruction, flags):
    with pytest.raises(BadInput) as caught:
        parse(instruction)
    assert str(caught.value).endswith(flags) and "does not know" not in str(caught.value)


def test_what_is_to_stay_hides_no_unknown_word():
    with pytest.raises(BadInput, match=r"does not know 'xyzzy' in .*--keep hair"):
        parse("make him xyzzy but keep the hair")
    with pytest.raises(BadInput, match="does not know 'keep', 'xyzzy'"):
        parse("keep him xyzzy")


@pytest.mark.parametrize(
    "instruction", ["mach ihn zu einer Bronzestatue", "fais-en un dessin au crayon", "把他变成铜像"]
)
def test_another_language_is_told_what_to_do(instruction):
    with pytest.raises(BadInput, match=r"reads English only.*'make him a bronze statue'"):
        parse(instruction)


def test_an_unknown_word_does_not_make_english_foreign():
    with pytest.raises(BadInput, match="does not know 'zombie'"):
        parse("make him a zombie")


def test_misspelt_words_are_offered_and_not_assumed():
    with pytest.raises(BadInput, match="nearest: bronze statue"):
        parse("a bronz statue")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_trigger_reaches_its_style(style):
    for trigger in style.triggers:
        edits = parse("make it " + " ".join(sorted(trigger)).replace("blackandwhite", "black and white"))
        assert [edit.style.name for edit in edits] == [style.name], trigger
    assert parse(f"turn him into a {style.title}")[0].style is style


@pytest.mark.parametrize("region", REGION_OPERATORS)
def test_every_region_takes_every_colour(region):
    for name in COLOURS:
        assert describe(parse(f"make the {region} {name}")) == f"{region} {name}"
