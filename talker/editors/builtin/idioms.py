"""Set phrases, each with the one way to say it: an instruction is brought into these words before it is read."""

from __future__ import annotations

import re

from talker.editors.builtin.lexicon import ARTISTS, PEOPLE, any_of
from talker.editors.builtin.styles import STYLES
from talker.editors.builtin.vocabulary import AMOUNTS, COLOUR_WORDS, REGION_WORDS, SHADES

TRIGGER_WORDS = frozenset().union(*(trigger for style in STYLES for trigger in style.triggers if len(trigger) == 1))
KEEP_BACKGROUND, ONLY_PERSON, BLACK_AND_WHITE = "keepbackground", "onlyperson", "blackandwhite"
KEEP_PERSON, KEEP_REST = "keepperson", "keeprest"
_PERSON = rf"(?:him|her|them|me|(?:the |this |that )?{any_of(PEOPLE - {'head'})})"
_COLOUR, _REGION = any_of(COLOUR_WORDS), any_of(REGION_WORDS)
_THE = "(?:the|his|her|their|my|this|that|its)"
_BACKGROUND = rf"(?:{_THE} )?(?:background|backdrop)(?: behind \w+)?"
_REST = rf"(?:the rest(?: of (?:it|{_PERSON}|{_THE} \w+))?|everything else|all else|every other \w+)"
_AS_IT_IS = (
    r"(?:alone|be|(?:just |exactly )?(?:as|like|the way|how) (?:it|s?he|they|i)(?: (?:is|was|are|were|am))?|as is|as-is"
    r"|unchanged|untouched|intact|the same|original|normal|natural|in place|out of it|unaffected|unaltered)"
)
_KEEP = r"(?:leav|keep|preserv)(?:e|es|ing|s|)"
_TOUCH = r"(?:do not|don't|dont|without|not|never) (?:touch|chang|alter|affect|edit|modify)(?:e|ing|)"
_STAYS = r"(?:(?:should |can |must |may |to |just )*(?:stays?|remains?|is left|are left|be left|left|kept) )?"
_CLAUSE_ENDS = r"(?=\s*(?:$|[,;.!?)]|and\b|but\b|while\b))"


def _kept(what: str) -> str:
    """What is said to stay as it is: "leave ... alone", "don't touch ...", "... stays as it is"."""
    return rf"\b(?:{_KEEP} {what} {_AS_IT_IS}|{_TOUCH} {what}|{what} {_STAYS}{_AS_IT_IS})(?: please)?{_CLAUSE_ENDS}"


_SMALL = (
    r"(?:(?:little|tiny|tiniest|faint|faintest|slight|slightest|small|smallest|mere|merest|subtle|light|gentle|soft"
    r"|delicate|wee|teeny) )*"
)
_DOSE = (
    r"(?:bit|touch|hint|tad|trace|dash|smidge|smidgen|smidgeon|whisper|suggestion|tinge|sprinkle|sprinkling|pinch|nod"
    r"|kiss|notch|whiff|drop|glimmer|blush|soup[c\u00e7]on)"
)
_MASS = (
    "winter|snow|neon|candlelight|moonlight|sunset|sepia|pop art|van gogh|charcoal|watercolou?r|ink|night|chalk|pastel"
)
# Whole clauses that say nothing of the picture: who asks, and for what occasion.
_CREW = "(?:wardrobe|costume|make-?up|hair|hairdressing|styling|set|lighting|colou?r|grading|art|vfx|design)"
_OCCASION = (
    "(?:party|wedding|birthday|halloween|christmas|stage|show|play|festival|cover|poster|video|trailer|intro|laugh|fun"
    "|change|school|project|class|campaign|brand|channel|carnival|finale|gala|movie|film|clip|shoot|scene|advert|ad"
    "|commercial|thumbnail|demo|occasion|look|lookbook|music|fashion|day|week|season|album|website|lesson|part|role"
    "|bit)"
)
_NO_TINTS = ("non", "half", "part", "two")
_LIGHT_WORDS = ("candlelight", "moonlight", "neon", "candles")
# Spellings, endings, and words that name one thing together.
_SPELLING = (
    ("[\u2018\u2019]", "'"),
    (rf"\ban? {any_of(ARTISTS)}'s\b", ""),
    (r"(?:'d|'ll| would| will| could| might) make an? (?=(?:great|good|lovely|nice|fine|perfect|brilliant"
     r"|beautiful)\b)", " as a "),
    (r"(?<=\w)'(?:s|d|m|ll|re|ve)\b", ""),
    (r"color", "colour"),
    (r"\b[a\u00e0] la\b", "like"),
    (r"\bgray", "grey"),
    (r"-(?:i[sz]e[sd]?|ify|ified|esque|ish)\b", ""),
    (r"\b(?:t|tee)[- ]shirt", "tshirt"),
    (r"\bback ground\b", "background"),
    (r"\bback wall\b", "wall"),
    (r"\bgrey ?scale\b", "greyscale"),
    (r"\b(green|blue)[ -]?screen\b", r"\1 background"),
    (r"\bblack\s*(?:and|&|-and-|n|-n-|'n')\s*white\b|\bb\s*(?:&|and|n)\s*w\b|\bb/w\b", BLACK_AND_WHITE),
    (
        r"\b(?:without|no|remove|turn off|switch off|drop|drain|take|strip|suck|lose|kill|ditch|bleed)\s+"
        r"(?:out |away )?"
        r"(?:all |any |every |every bit |every trace )?(?:of )?"
        r"(?:the |its |his |her )?colours?(?:\s+(?:out|away)\b)?"
        r"(?:\s+(?:of|from) (?:it|the (?:whole )?(?:video|picture|image|scene|photo|frame|clip|footage|shot))\b)?"
        rf"(?! (?:of|from|in) {_THE}? ?{_REGION})",
        BLACK_AND_WHITE,
    ),
    (r"\bdesaturat(?:e|ing)\b", BLACK_AND_WHITE),
)  # fmt: skip
# How much.
_AMOUNTS = (
    (r"\b(?:at|by|with|to)?\s*half (?:the )?(?:strength|way|power|intensity)|\bhalfway(?! through| "
     r"in\b)", " amount50 "),
    (r"\b(\d{1,3}) ?(?:%|percent\b|per cent\b)", r" amount\1 "),
    (rf"\b(?:just |only |with |ever so )?(?:an?|the) {_SMALL}{_DOSE}\b(?: of\b)?|\b{_SMALL}{_DOSE}s? "
     rf"of\b", " slightly "),
    (r"\ba (?:pop|splash|shock|burst|flash|slick) of\b", ""),
    (
        rf"\ba (?:little|wee) (?=(?:more |less |like |of )?(?:{any_of(COLOUR_WORDS.keys() - TRIGGER_WORDS)}\b"
        rf"|(?:{_MASS})\b|\w+er\b|\w+(?:ish|oony|wy|ty|ry)\b"
        r"|like\b|of\b|more\b))|\ba little(?=\s*(?:$|[,.;!?]))",
        " slightly ",
    ),
    (
        r"\b(?:but )?(?:not|nothing|don't want it|don't make it) (?:too|overly|very|that) (?:much|strong"
        r"|strongly|heavy"
        r"|heavily|dark|bright|obvious|obviously|intense|intensely|extreme|crazy|wild|loud|bold|dramatic|over "
        r"the top"
        r"|in your face|full[- ]on|aggressive|hard|harsh|thick|vivid|flashy)\b",
        " slightly ",
    ),
    (r"\b(?:do not|don't|dont) (?:over ?do|go (?:overboard|crazy|mad|too far|over the top|wild))(?: (?:it|this"
     r"|that|with it))?\b", " slightly "),
    (
        r"\b(?:ton|turn|dial|water|scal|rein|pull|tak)(?:e|l?ed|d|ing|n|s|)?[ -](?:it |that |this )?(?:right "
        r"|way )?(?:down|back)\b"
        r"(?: slightly)?|\b(?:in|at|with|on) (?:a )?(?:low|reduced|lower|less) (?:strength|intensity|level|power"
        r"|opacity|dose)",
        " slightly ",
    ),
    (r"\b(?:only |barely |hardly |just |scarcely )+(?:noticeable|visible|perceptible|there)\b|\bhint(?:s|ing)? "
     r"(?:at|of|towards?)\b", " slightly "),
    (rf"\ba light (?={any_of(TRIGGER_WORDS - COLOUR_WORDS.keys())}\b)|\bnot (?:a lot|loads|much|by "
     rf"much)\b", " slightly "),
    (r"\b(?:in|with) moderation\b|\bvery light(?=\s*(?:$|[,;.]))|\blow[- ]key\b|\blight[- ]handed\b", " slightly "),
    (rf"\bkeep (?:it|this|that|the \w+)(?: all)?(?= (?:{any_of(AMOUNTS)}|slightly|light|soft|simple|tasteful"
     rf"|natural|classy)\b)", ""),
)  # fmt: skip
# Where not.
_LIMITS = (
    (rf"{_kept(_PERSON)}|\bnot {_PERSON}{_CLAUSE_ENDS}", f" {KEEP_PERSON} "),
    (_kept(_REST), f" {KEEP_REST} "),
    (rf"\bnot {_BACKGROUND}{_CLAUSE_ENDS}|{_kept(_BACKGROUND)}|\b{_KEEP} "
     rf"{_BACKGROUND}{_CLAUSE_ENDS}", f" {KEEP_BACKGROUND} "),
    (rf"\b(?:(?:everything|all) (?:except|but)|except|apart from|other than)(?: for)? {_BACKGROUND}",
     f" {KEEP_BACKGROUND} "),
    (r"\bnothing but\b|\bno more than\b", "only"),
    (r"\b(?:and |but )?(?:nothing|no one|nobody) (?:else|more|fancy|special|complicated)\b(?: (?:in|on|of) the "
     r"\w+)?"
     r"(?: (?:please|changes|changed|should change|at all|needed))?", ""),
    (rf"\b(?:only|just) (?:him|her|them|the {any_of(PEOPLE)}){_CLAUSE_ENDS}|\b(?:only|just) (?:him|them|the "
     rf"{any_of(PEOPLE)})\b(?!')",
     f" {ONLY_PERSON} "),
    (r"\bkeep (?=.*\b(?:limited|restricted|confined|only) (?:to|on)\b)", ""),
    (rf"\binstead of {_THE} (?:current|present|existing|original) (?={_REGION}\b)", ""),
    (r"\b(?:instead of|rather than|in place of) [^,;.]*", ""),
)  # fmt: skip
# What there is now, said before what it should become.
_BEFORE = (
    (
        rf"\b(?:i|we|he|she|they|i'm|we're)? ?(?:am |are )?(?:not|do not|don't|never|no longer) (?:really |too "
        rf"|very |so |much )?"
        rf"(?:like|likes?|love|want|need|fancy|care for|keen on|fond of|mad about|sure about|happy with|into"
        rf"|wild about"
        rf"|a fan of|convinced by|sold on|crazy about) (?:about )?{_THE} (?:{_COLOUR} )?(?={_REGION}\b(?: "
        rf"colour)?\s*[,;.])",
        "",
    ),
    (rf"\b(?:get rid of|lose|ditch|drop|scrap|forget|bin|goodbye|enough of) {_THE} (?:\w+ )?"
     rf"(?={_REGION}\b(?: colour)?\s*[,;.][^,;.]*\b(?:it|one)\b[^,;.]*\b{_COLOUR}\b)", ""),
    (rf"(?<= )({_REGION}) (?:is |are |looks? |was |were |seems? )?(?:far |much |way |slightly |just |a )*(?:too"
     rf"|so) "
     rf"{any_of((*COLOUR_WORDS, *SHADES))}\s*(?=[,;.])", r"\1"),
    (rf"\b({_REGION}) (?:is not|isn't|are not|aren't|does not look|doesn't look|do not look|don't look) (?:\w+ "
     rf")?\w+\s*(?=[,;.]\s*\w)",
     r"\1"),
    (rf"\bfrom (?:{_COLOUR}) (?=to\b)", ""),
    # "the lady in the red dress should be marble": who it is
    (rf"\b((?:the|this|that) {any_of(PEOPLE)}) (?:in|with|wearing) (?:(?:an?|the|his|her) )?(?:\w+ )?{_COLOUR} "
     rf"{_REGION} "
     r"(?=(?:(?:in)?to|should|must|ought|needs?|has|could|can|would|as|becomes?|looks?|turns?)\b)", r"\1 "),
)  # fmt: skip
# Figures of speech, and what is said beside the matter.
_FIGURES = (
    (r"\bwhat(?:ever)? (?:he|she|they|i) (?:has|have|had|is|are|am|got)?(?: got)? ?on\b", "clothes"),
    (r"\b(?:to )?top (?:it|that|this|things|everything|him|her) (?:all )?off(?: with)?\b|\bon top of (?:that"
     r"|this|it all|which)\b", ""),
    (r"\ba (?:fresh |new |thick |light |thin |nice )?(?:coat|lick|layer|coating) of\b", ""),
    (r"(^|[,;.:]\s*|\b(?:to|please|and|then|would|could|should|can|will|you|i|we|lets?) )(?:coat|dress up) "
     r"(?=(?:him|her|them|me|the|his|their|it|my)\b)", r"\1cover "),
    (r"\b(would|could|might|will|can|should|may|to|does|really|that|which|also) suit (?=(?:him|her|them|me|us|it"
     r"|the|his|my|their|this)\b)",
     r"\1 flatter "),
    (r"\b(to|should|must|will|can|could|him|them|he|she|they|me|please) face (?=(?:a|an|the|left|right|away|me"
     r"|us|forward)\b)",
     r"\1 facing "),
    (rf"\b(?:to match|(?:that|which) (?:match|matches)|matching|to go with|to complement|to set off) {_THE} "
     rf"[^,;.]*", ""),
    (rf"\b({_COLOUR}) suit (?=(?:him|them|me|us|her)\b)", r"\1 flatter "),
    (r"\bat the back\b", ""),
    (r"\b(have|let|make) her face the (?=wall|room|background|backdrop|floor|other)", r"\1 her facing the "),
    (r"\bface ?cam\b", "video"),
    (r"\b(?:on|in) (?:the )?(?:screen|camera|shot|frame)\b|\bonscreen\b", ""),
    (r"\bsun (?:to |is |has )?set(?:s|ting)?\b", "sunset"),
    (r"\bback (?=to (?:1[89]|the )\d|in time\b)", ""),
    (r"\b(prefer\w* [^,;.]*?) (?:to|over) (?:the )?(?:full )?colour\b", r"\1"),
    (r"\b(?:cut|torn|lifted|ripped|taken|plucked|stepped|straight|fresh) (?=(?:straight |right )?(?:out of|from"
     r"|off)\b)", ""),
    (r"\bi(?: would| could)? kill (?=to\b|for\b)", "i want "),
    (r"\bnotes? (?:for|to) (?:the |our |my )?\w+\s*:", ""),
    (r"\bbefore (?=\w+ing\b)", ", "),
    (r"\bafter (?=\w+ing\b)", ""),
    (rf"\b({_REGION}|{any_of(_LIGHT_WORDS)}) (?:alone|only)\b", r"\1"),
    (r"\b(?:straight|right) away\b|\bfrom (?:head|top) to (?:toe|foot|bottom)\b|\bpop (?=in |with |on |out |him "
     r"|her |them |me |it |the )|\b(?:long |years )ago\b", ""),
    (r"\bend(?:s|ed|ing)? up\b|\b(?:i|we|they|he|she|client|director|producer) (?:am |are |is |were |was )?after\b"
     r"|\bdying to\b|\b(?:i|i'd) rather\b|\bfar too\b", ""),
    (r"\bafter (?:that|this|which|it)\b|\bbefore (?:anything else|that|this|everything else|all else)\b|\bto "
     r"(?:begin|start) with\b"
     r"|\b(?:once|when) (?:that|this|it)(?: is)? (?:done|finished|ready)\b|\bwhile (?:you|we|i)(?: are)? (?:at "
     r"it|here|there)\b", ","),
    (r"\b(?:if (?:you|they|it) (?:do not|don't|doesn't|would not|wouldn't) mind|no (?:rush|hurry|problem|worries"
     r"|pressure|doubt|fuss)"
     r"|why not|why (?:don't|do not) (?:you|we)|(?:can|could|won|would|isn|wouldn|couldn|don|shouldn)'?t (?:you"
     r"|we|it|he|she|they|i)\b"
     r"(?= (?:just |please |be |have |make |turn |look |give |think |get |try |see |go |paint |dye |put |do ))"
     r"|let (?:us )?say|shall we say"
     r"|should (?:read|come across|play) as|as it were|in other words|to be honest|you know)\b", ""),
    (rf"\b(?:the )?{_CREW} (?:notes?|request|department|dept|team|brief|designer|artist|stylist|supervisor|crew"
     rf"|lead|idea)\b", ""),
    (rf"\b(?:ready )?for (?:(?:a|an|the|my|our|his|her|this|that|next|tomorrow|tonight|today) )*(?:\w+ "
     rf")?{_OCCASION}(?: {_OCCASION})*{_CLAUSE_ENDS}", ""),
    (r"\b(?:one|two|three|four|five|a couple of|a few|several) (?:quick |small |little |simple )?(?:things?"
     r"|changes?|edits?|tweaks?|requests?|fix(?:es)?)\b", ""),
    (rf"\b(?!{any_of((*COLOUR_WORDS, *SHADES, *TRIGGER_WORDS, *REGION_WORDS, *_NO_TINTS))}-)[a-z]+-({_COLOUR})\b(?!-)",
     r"\1"),  # "smurf-blue"
    (rf"\b(?:as )?({_COLOUR}) (?:as|like) (?:a |an |the )?\w+", r"\1"),  # "white as snow"
    (r"\bcolour(?:ed)? pencils?\b", "coloured-pencils"),
    (r"\b(his|her|the|their) head\b", r"\1 whole-head"),
    (rf"\bsnow white\b(?! {_REGION}\b)", "snowwhite"),  # a person
)  # fmt: skip
# (what is said, the one way to say it), in the order in which they are replaced
PHRASES = tuple((re.compile(said), plain) for said, plain in _SPELLING + _AMOUNTS + _LIMITS + _BEFORE + _FIGURES)
