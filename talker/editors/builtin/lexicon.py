"""Words that may stand in any clause without meaning anything to an editor, by what they do in a sentence.

What names a thing, a part of the body, a place, a feeling, an age, a movement or a "no" must never stand here: such a
word is what makes the parser refuse an instruction that it cannot carry out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


def any_of(words: Iterable[str]) -> str:
    """The pattern that any of these words matches."""
    return f"(?:{'|'.join(sorted(words))})"


# Adverbs of manner, degree and opinion show it by their ending; some say when or how an edit is to move.
ADVERB = re.compile(r"\w{2,}(?:[ai]bly|ally|ately|antly|edly|ently|etely|fully|ingly|ively|ously)")
MOVING = words_of("gradually progressively successively intermittently alternately repeatedly eventually")


def forms_of(verbs: str) -> frozenset[str]:
    """Verbs with their regular endings: make, makes, making; a few too many do no harm."""
    forms = set()
    for verb in verbs.split():
        stem = verb.removesuffix("e")
        forms |= {verb, f"{verb}s", f"{verb}es", f"{stem}ed", f"{stem}ing", f"{verb}{verb[-1]}ed"}
        forms |= {f"{verb}{verb[-1]}ing", f"{verb[:-1]}ies", f"{verb[:-1]}ied"}
    return frozenset(forms)


FUNCTION_WORDS = words_of(
    "a an the this that these those it its itself he his him himself she her hers herself they their theirs them "
    "themselves i me my mine myself we our ours us you your yours who whose whom which what whatever whichever when "
    "whenever where wherever why how in into to of on onto by with for from at as if though although because since "
    "while whilst once until till than per via across through throughout along around about up over out towards toward "
    "within front against upon so such too also both either again now just only even ever always still already yet "
    "rather quite else here there therefore anyway instead together some any each every all everything anything "
    "something everywhere overall inside more most single ones same other own one am is are was were be been being do "
    "does did doing done has have had having can could shall should will would may might must ought let lets re ll ve "
    "gotta gonna wanna gimme kinda sorta whether like"
)
MAKING = forms_of(
    "make turn transform convert change give render show put set use apply add create paint repaint tint dye recolour "
    "colour look appear seem become get switch swap replace exchange film record photograph take capture view picture "
    "depict portray present display redo remake redraw restyle rework reimagine relight adjust alter modify edit tweak "
    "produce generate morph shift treat finish theme go try bring come design style craft fashion build assemble "
    "compose construct form shape execute process grade regrade retouch recreate rebuild reinterpret interpret "
    "represent resemble evoke mimic imitate emulate echo recall suggest stylise stylize translate transport transfer "
    "transition drench bathe steep cover tinge infuse imbue immerse bleach rinse limit restrict confine reserve start "
    "begin complete output export illustrate visualise visualize shoot reproduce upgrade enhance refresh liven spice "
    "select pick choose opt settle stick aim model cast introduce incorporate adopt dial beam happen whip spruce "
    "transmute immortalise immortalize soak break consist comprise sport receive deserve benefit lean veer tend strive "
    "manage attempt experiment test explore demonstrate reveal achieve accomplish obtain acquire assume emerge result "
    "evolve develop revamp overhaul renovate redecorate decorate beautify polish refine tune fix sort handle tackle "
    "arrange prepare provide supply offer allow permit ensure insist target focus concentrate dedicate devote assign "
    "impose overlay superimpose layer blend integrate embed instil inject imprint slather daub swathe clothe "
    "lavish douse suffuse permeate splash spread dunk deck slap bung chuck whack plonk sling throw toss rustle jazz "
    "amp ramp crank include involve desire specify describe indicate mention list detail order aspire favour warrant "
    "rock celebrate honour commemorate channel conjure invoke borrow steal realise realize materialise materialize "
    "rebrand reskin retexture retheme remaster restage remix bump nudge amplify intensify call enjoy dub approximate "
    "affect bedeck adorn encase send"
) | words_of(
    "dyeing made got given shown took taken came went gone became brought built lent lend began begun chose chosen "
    "drawn worn wore wear wearing wears dressed shot work works recast redone remade redrew redrawn rebuilt relit kept "
    "saw seen sees seeing meant gave undergone undergo undergoes morphed done painted"
)
WANTING = forms_of(
    "want like love prefer wish need hope ask request fancy appreciate suppose guess reckon think believe feel imagine "
    "envision envisage wonder mean expect propose recommend plan see consider require decide plump care belong suit "
    "flatter"
) | words_of("thought felt said told keen somehow able vibe vibes supposed met")
POLITENESS = words_of(
    "please pls plz kindly thanks thank ta cheers hey hi hello ok okay yes yeah yep sure right alright well oh ah wow "
    "hmm um possible possibly maybe perhaps dear darling folks team editor sir favour welcome chance question lol btw "
    "luv innit dunno lemme y ya alrighty righto thx tho cuz cos coz fyi asap today us mind know honest"
)
JUDGEMENTS = words_of(
    "beautiful nice lovely gorgeous stunning elegant realistic cool great proper actual real typical perfect best "
    "better good famous handsome pretty fancy fine cute fun funky authentic traditional classical classic amazing "
    "awesome wonderful poor ace brilliant fantastic fabulous superb splendid smashing excellent magnificent marvellous "
    "glorious delightful charming striking dramatic impressive exquisite tasteful stylish chic glamorous smart crisp "
    "slick sleek refined sophisticated luxurious ornate interesting exciting spectacular sweet pleasant attractive "
    "daring quirky playful whimsical arty artistic painterly atmospheric cinematic dreamy magical iconic legendary "
    "renowned known celebrated popular trendy fashionable unique special unusual different new fresh original genuine "
    "faithful convincing believable plausible lifelike recognisable boring dull drab bland ugly awful terrible "
    "horrible dreadful tired dated cheap lame ordinary mundane generic unflattering wrong bad worse bold clean "
    "hilarious airy dreamlike ethereal otherworldly timeless stately noble regal majestic grand imposing heroic mighty "
    "mystical fantastical decorative rustic edgy punchy zesty snazzy jazzy swanky glitzy flashy showy gaudy garish "
    "kitsch cheesy corny offbeat odd strange weird bizarre curious peculiar unexpected surprising remarkable "
    "outstanding extraordinary exceptional superior premium quality elaborate complex noticeable visible obvious "
    "apparent evident distinct nicer prettier livelier bolder richer stronger fancier cracking banging sublime "
    "divine heavenly fab fabby tremendous terrific phenomenal incredible unbelievable impeccable flawless photogenic "
    "expressive evocative folksy homely inviting welcoming enchanting captivating mesmerising alluring luminous "
    "radiant dazzling shimmering lustrous silky velvety satin shiny sparkly crude unfinished handmade artisanal "
    "professional amateurish sensible reasonable acceptable optimal viable feasible necessary essential crucial "
    "important relevant main key primary current existing present previous former final initial specific particular "
    "certain respective quick neat funny whatsoever time thorough decent solid neater handy rapid instant swift "
    "individual separate additional extra further optional temporary permanent global lifeless uninspiring dreary "
    "suitable appropriate apt fitting ideal correct exact precise accurate standard regular normal usual common "
    "general simple easy basic full complete total uniform even consistent seamless signature characteristic gleaming "
    "glossy matte lush vibrant loud soft delicate epic ultra mega intricate detailed"
)
DEGREES = words_of(
    "bright brightly vivid vividly vibrant intense strong rich pure plain solid very far way much highly heavily "
    "strongly truly deeply richly boldly warmly softly freshly newly nearly fairly closely perfectly simply probably "
    "surely exactly forever straight straightaway first firstly second secondly third thirdly last lastly finally next "
    "soon later afterwards afterward often mostly mainly largely honestly extremely natural whole entire super lots "
    "plenty loads"
) | words_of(
    "completely solely entirely neatly totally thoroughly utterly incredibly beautifully absolutely intensely properly "
    "fully really"
)
FILM_NOUNS = words_of(
    "image images picture pictures photo photograph video videos vid clip clips film films movie scene scenes portrait "
    "work piece shot shots footage recording recordings take takes frame frames sequence segment interview monologue "
    "vlog version versions rendition rendering interpretation treatment style styles styling filter filters effect "
    "effects fx look looks finish theme aesthetic mode manner fashion kind kinds sort sorts type way tone tones shade "
    "shades hue hues colour colours coloured tint tinge mood palette scheme grade grading texture touch makeover "
    "transformation conversion option idea concept direction brief note notes request instruction suggestion thing "
    "things stuff result outcome appearance likeness resemblance figure composition spirit vein guise area areas "
    "portion zone part parts surface production project self entirety deal impression content technique approach "
    "method medium genre tradition dusting goal aim purpose objective point preference choice taste liking favourite "
    "fave job task mission challenge assignment thought view opinion sake case example instance sample list item step "
    "phase round experiment test trial homage tribute reference allusion salute ode throwback inspiration influence "
    "flair elegance beauty magic charm glamour drama energy personality depth richness intensity strength power impact "
    "emphasis accent detail details quality sophistication sheen lustre luster shine gleam lut post vfx cgi pass fan "
    "ambience ambiance atmospherics presence flavour character essence nature aura rest equivalent alternative variant "
    "variation variety edition incarnation reincarnation adaptation recreation reproduction replica remake emulation "
    "imitation simulation presentation representation depiction portrayal visual visuals visualisation imagery "
    "artistry craftsmanship artform setup settings preset studio command prompt query order orders plan proposal "
    "answer solution trick ticket business affair matter reason cause difference moodboard storyboard pitch script"
)

FILLER = FUNCTION_WORDS | MAKING | WANTING | POLITENESS | JUDGEMENTS | DEGREES | FILM_NOUNS
PEOPLE = words_of(
    "man woman person guy girl boy lady gentleman speaker subject people human someone head character bloke fellow "
    "presenter actor actress host narrator singer teacher reporter chap dude lad lass gal kid mate buddy somebody "
    "individual everyone talent model interviewee newsreader anchor hostess lecturer vlogger youtuber star performer "
    "professor boss colleague friend female male protagonist grandpa grandma gran granny grandad fella fellas lassie "
    "geezer dad daddy mum mom mummy brother sister wife husband uncle aunt auntie cousin son daughter nephew niece "
    "partner girlfriend boyfriend client customer student pupil doctor lawyer politician president ceo manager "
    "candidate coach chef scientist journalist correspondent commentator comedian influencer streamer podcaster "
    "blogger instructor tutor trainer preacher priest vicar mayor senator spokesman spokeswoman spokesperson moderator "
    "announcer broadcaster pundit guest expert contestant volunteer employee salesman saleswoman lead"
)
# Who makes such pictures; in "as if an animator had drawn him" nobody is to turn into one.
ARTISTS = words_of(
    "artist painter sculptor animator illustrator cartoonist photographer hairdresser barber stylist designer "
    "craftsman carver master"
)


def means_nothing(word: str) -> bool:
    """Whether an editor can pass over it."""
    adverb = ADVERB.fullmatch(word) is not None and word not in MOVING
    return adverb or word in FILLER or word in PEOPLE or word in ARTISTS
