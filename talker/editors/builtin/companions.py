"""Words that mean nothing beside a style: "swirling strokes" beside Van Gogh, "hewn from a block" beside marble."""

from __future__ import annotations

from talker.editors.builtin.lexicon import words_of

ART = words_of(
    "painting paintings painted paint paints art artwork artist artists canvas brush brushes brushstroke brushstrokes "
    "stroke strokes brushwork pigment pigments textured gallery canvases palette knife layers layered thick dabs daubs "
    "dab flecks masterpiece poster posters easel hand handpainted museum"
)
DRAWING = words_of(
    "drawing drawn draw sketch sketched drawings art artwork paper lines line hand outline outlines illustration "
    "illustrated handdrawn freehand sheet page pages sketchbook sketchpad notebook scribbled scribbly scratchy rough "
    "hatching hatched shaded shading smudged smudgy smudges textured loose artist artists thick thin sketchy study "
    "studies draft doodle doodled newspaper engraving old"
)
STATUE = words_of(
    "statue sculpture bust sculpted carved carve carving cast casting sculpt figure figurine monument made out block "
    "museum metal metallic solid hewn chiselled chiseled forged moulded molded pedestal plinth statues sculptural "
    "sculptures statuette idol effigy trophy slab lump chunk single piece hand handmade little small tiny large giant "
    "life lifesize size sized ancient antique old weathered burnished hardened hard cold marbled chisel foundry "
    "gallery sheen lustre shine polished visible big huge massive"
)
PHOTO = words_of(
    "photo photograph photos picture image snapshot print portrait film photography camera shot footage photographic "
    "grain grainy roll snap still cam"
)
WEATHER = words_of(
    "light lighting lit time scene atmosphere mood outside outdoors during weather season sky there day middle under "
    "illuminated falling falls bathed bathe glow glowing illumination ambience hour hours fallen fall takes place"
)

COMPANIONS: dict[str, frozenset[str]] = {
    "van_gogh": ART
    | words_of(
        "oil oils van gogh vincent starry night post impressionist impressionism impressionistic swirling swirly "
        "swirls expressive impasto bold colours self vivid impastoed dutch swirl swirled sunflowers heavy"
    ),
    "oil": ART
    | words_of(
        "oil oils old classical classic traditional master masters colours studio rich impasto heavy renaissance "
        "baroque"
    ),
    "watercolour": ART
    | DRAWING
    | words_of(
        "wash washes soft delicate wet water aquarelle colours bleeding runny washed translucent transparent splashes"
    ),
    "pencil": DRAWING | words_of("pencil pencils pencilled graphite blackandwhite grey lead cross fine"),
    "charcoal": DRAWING | words_of("charcoal blackandwhite soft stick grey smoky"),
    "cartoon": DRAWING
    | words_of(
        "character characters animated animation cel toon tv saturday morning show flat bold colours figure colourful "
        "sunday kids cartoons comedy network eyed"
    ),
    "comic": DRAWING
    | words_of(
        "book character printed strip panel dots dot bold pop roy graphic novel ink inked halftone comic comics hero "
        "style superhero superheroes heroes marvel colourful cover"
    ),
    "bronze": STATUE | words_of("patina brown dark greek roman"),
    "gold": STATUE
    | words_of("gold golden gilded pure shiny shining plated leaf gilt king midas touched foil oscar award bar"),
    "silver": STATUE | words_of("silver chrome shiny pure plated sterling foil mirror"),
    "marble": STATUE | words_of("white stone greek roman classical veined michelangelo carrara renaissance"),
    "stone": STATUE | words_of("stone sandstone granite grey rock medusa gaze cracked grainy"),
    "winter": WEATHER
    | words_of(
        "winter snow snowy snowing snowstorm blizzard heavy cold ice icy frosty frozen freezing white snowflakes "
        "chilly frost flurries flakes blanket winters morning evening afternoon"
    ),
    "night": WEATHER
    | words_of(
        "night nighttime midnight moonlight moon dark late blue city lights at stars darkness dead starry moonlit"
    ),
    "sunset": WEATHER
    | words_of("sunset evening golden warm sun orange low setting beautiful dusk magic end late soft dying"),
    "old_photo": PHOTO
    | words_of(
        "old vintage antique aged faded sepia toned tone worn fashioned century family album from brown scratched "
        "daguerreotype early victorian gran granny grandma grandmother grandfather grandad grandpa grandparents attic "
        "shoebox found times timey olden days yellowed creased crumpled archive ancestor ancestors mother father nan "
        "nana era generation"
    ),
    "black_and_white": PHOTO
    | words_of(
        "blackandwhite classic noir old studio monochrome greyscale movie contrast hollywood fifties forties thirties "
        "twenties detective newsreel gritty"
    ),
    "pointillist": ART
    | words_of(
        "pointillist pointillism pointillistic seurat georges signac dots dot dotted thousands hundreds many coloured "
        "tiny small little spots points unmixed colourful million millions specks countless pure thousand fine"
    ),
    "pastel": ART | DRAWING | words_of("pastel pastels oil chalk soft powdery sticks crayon crayons coloured chalky"),
    "ink": DRAWING
    | words_of(
        "ink inked black white pen nib indian india blackandwhite crosshatching crosshatched cross wash fine lots "
        "brush quill inky"
    ),
    "chalk": DRAWING
    | words_of(
        "chalk chalked blackboard chalkboard board blackandwhite black white school dusty classroom chalky teacher "
        "lesson class"
    ),
    "pop_art": ART
    | words_of(
        "pop popart warhol andy silkscreen silk screen screenprint print printed bold flat loud sixties 60s repeated"
    ),
    "stained_glass": words_of(
        "stained glass leaded lead window church cathedral gothic panes pane colourful coloured art windows panels "
        "shards pieces chapel medieval light shining through lines outlines"
    ),
    "mosaic": words_of(
        "mosaic mosaics colourful tesserae tiles tile tiled tiny thousands hundreds many small little stones stone "
        "roman byzantine ancient art floor pieces bits fragments chips squares pebbles shards million millions "
        "countless laid ceramic glass pompeii villa bath church greek lots thousand"
    ),
    "wood": STATUE
    | words_of(
        "wood wooden oak limewood oiled brown grain grained timber whittled whittle log trunk tree rustic varnished"
    ),
    "jade": STATUE | words_of("jade green chinese translucent precious smooth dynasty asian"),
    "ice": STATUE
    | words_of("ice icy frozen freeze clear transparent translucent crystal blue glassy glass frost freezing"),
    "clay": STATUE
    | words_of(
        "clay claymation plasticine modelling modelled puppet animation animated stop motion stopmotion character film "
        "soft aardman wallace gromit putty terracotta kneaded modeled"
    ),
    "hologram": words_of(
        "hologram holographic holograms projection projected blue glowing flicker futuristic scifi sci fi translucent "
        "transparent flickering shimmering scan scanlines lines beam beamed beaming hologramme future light 3d ghostly"
    ),
    "thermal": PHOTO
    | words_of(
        "thermal infrared thermography thermographic heat vision signature sensor imaging imager seen false colours "
        "view body map scanner scan predator sensing rainbow hot cold"
    ),
    "night_vision": PHOTO
    | words_of(
        "night vision nightvision goggles goggle green military device scope seen view phosphor surveillance soldier "
        "soldiers army commando cctv security spy infra"
    ),
    "candlelight": WEATHER
    | words_of(
        "candlelight candlelit candle candles warm dim single dark flickering flame flames soft cosy romantic lights "
        "candlelights intimate flickery"
    ),
    "neon": WEATHER
    | words_of(
        "neon lights club night sign signs tube tubes cyberpunk magenta cyan pink blue purple nightclub arcade "
        "electric eighties 80s sci fi blade runner"
    ),
}
