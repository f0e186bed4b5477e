"""A small English: words with their phones (ARPAbet), and sentence patterns that hit all mouth shapes."""

from __future__ import annotations

import numpy as np

_PRONUNCIATIONS = """
a:AX the:DH AX one:W AH N two:T UW three:TH R IY four:F AO R five:F AY V six:S IH K S seven:S EH V AX N eight:EY T
nine:N AY N ten:T EH N i:AY you:Y UW we:W IY they:DH EY he:HH IY she:SH IY my:M AY your:Y AO R our:AW ER
this:DH IH S that:DH AE T and:AE N D but:B AH T man:M AE N woman:W UH M AX N people:P IY P AX L boy:B OY
girl:G ER L baby:B EY B IY mother:M AH DH ER father:F AA DH ER teacher:T IY CH ER friend:F R EH N D house:HH AW S
room:R UW M window:W IH N D OW table:T EY B AX L book:B UH K paper:P EY P ER picture:P IH K CH ER voice:V OY S
music:M Y UW Z IH K movie:M UW V IY boat:B OW T bird:B ER D fish:F IH SH dog:D AO G cow:K AW tree:T R IY
river:R IH V ER moon:M UW N sun:S AH N fire:F AY ER food:F UW D apple:AE P AX L soup:S UW P bread:B R EH D
coffee:K AO F IY water:W AO T ER job:JH AA B city:S IH T IY road:R OW D garden:G AA R D AX N judge:JH AH JH
church:CH ER CH measure:M EH ZH ER big:B IH G small:S M AO L old:OW L D new:N UW good:G UH D happy:HH AE P IY
purple:P ER P AX L blue:B L UW green:G R IY N yellow:Y EH L OW warm:W AO R M cool:K UW L
beautiful:B Y UW T IH F AX L famous:F EY M AX S quiet:K W AY AX T broken:B R OW K AX N funny:F AH N IY thick:TH IH K
see:S IY saw:S AO show:SH OW move:M UW V make:M EY K bought:B AO T found:F AW N D gave:G EY V love:L AH V
watch:W AA CH keep:K IY P push:P UH SH open:OW P AX N remember:R IH M EH M B ER follow:F AA L OW
believe:B IH L IY V choose:CH UW Z enjoy:EH N JH OY think:TH IH NG K sing:S IH NG in:IH N on:AA N of:AX V by:B AY
for:F AO R with:W IH DH under:AH N D ER above:AX B AH V near:N IH R before:B IH F AO R always:AO L W EY Z
never:N EH V ER now:N AW today:T UW D EY maybe:M EY B IY often:AO F AX N hello:HH AX L OW welcome:W EH L K AX M
"""

_WORD_CLASSES = {
    "determiner": "the a my your our this that",
    "adjective": "big small old new good happy purple blue green yellow warm cool beautiful "
    "famous quiet broken funny thick",
    "noun": "man woman boy girl baby mother father teacher friend house room window table book paper picture voice "
    "movie boat bird fish dog cow tree river moon sun fire apple job city road garden judge church measure",
    "mass": "music food soup bread coffee water people",
    "subject": "i you we they",
    "verb": "see saw show move make bought found gave love watch keep push open remember follow believe choose enjoy",
    "preposition": "in on of by for with under above near before",
    "adverb": "always never now often maybe",
    "time": "now today",
    "number": "one two three four five six seven eight nine ten",
}

_PATTERNS = (
    "subject adverb verb determiner adjective noun preposition determiner noun",
    "determiner noun preposition determiner noun",
    "subject verb determiner noun and determiner adjective noun",
    "subject verb mass preposition determiner adjective noun time",
    "number noun preposition determiner noun but number mass",
    "hello subject verb determiner adjective noun",
    "he verb determiner noun before she verb determiner adjective noun",
    "welcome determiner noun preposition mass time",
    "subject think determiner noun preposition determiner noun verb mass",
    "number number number and number",
)


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    entries = text.replace("\n", " ").split(":")
    words = [entry.split()[-1] for entry in entries[:-1]]
    phones = [entry.split() for entry in entries[1:]]
    return {
        word: tuple(said if last else said[:-1])  # the last token before a colon is the next word
        for word, said, last in zip(words, phones, [*[False] * (len(words) - 1), True], strict=True)
    }


PRONUNCIATIONS: dict[str, tuple[str, ...]] = _parse(_PRONUNCIATIONS)
WORD_CLASSES: dict[str, list[str]] = {name: words.split() for name, words in _WORD_CLASSES.items()}


def random_sentence(generator: np.random.Generator) -> str:
    pattern = _PATTERNS[generator.integers(len(_PATTERNS))].split()
    return " ".join(str(generator.choice(WORD_CLASSES[slot])) if slot in WORD_CLASSES else slot for slot in pattern)


def phones_of(sentence: str) -> list[str]:
    """Phones of a sentence of known words, with silence ("SIL") before and after."""
    return ["SIL", *(phone for word in sentence.split() for phone in PRONUNCIATIONS[word]), "SIL"]
