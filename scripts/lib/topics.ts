/**
 * @file What the example pairs talk about. The training and the held-out topics share no activity, no thing
 * and no tip, so that held-out accuracy cannot come from a topic seen before.
 */

/** A hobby with facts about it. The texts fill the slots of a template as they are, in lower case. */
export interface Topic {
  /** A gerund phrase: "baking bread". */
  readonly activity: string;
  /** A noun phrase for what the activity is about, with its article: "the dough". */
  readonly thing: string;
  /** True advice, as an imperative clause without a full stop. */
  readonly tips: readonly [string, string, string];
}

function topic(activity: string, thing: string, ...tips: readonly [string, string, string]): Topic {
  return { activity, thing, tips };
}

/** The topics of the pairs with `split: "train"`. */
export const TRAIN_TOPICS: readonly Topic[] = [
  topic(
    "baking bread",
    "the dough",
    "knead the dough for ten minutes",
    "let the dough rise in a warm corner",
    "bake the loaf until the bottom sounds hollow",
  ),
  topic(
    "cooking soup",
    "the broth",
    "fry the onions in butter before the water goes in",
    "let the broth simmer under a lid",
    "add the salt at the end",
  ),
  topic(
    "making jam",
    "the fruit",
    "weigh the fruit and take half as much sugar",
    "boil the jars so that they are clean",
    "test a drop of jam on a cold plate",
  ),
  topic(
    "brewing tea",
    "the teapot",
    "warm the teapot with hot water",
    "let black tea stand for four minutes",
    "keep the leaves in a dry tin",
  ),
  topic(
    "growing tomatoes",
    "the tomato plants",
    "water the roots in the morning and keep the leaves dry",
    "tie the stems to a tall stick",
    "pinch out the side shoots every week",
  ),
  topic(
    "planting roses",
    "the rose bed",
    "dig a hole twice as wide as the roots",
    "cut the old wood back in early spring",
    "choose a place with six hours of sun",
  ),
  topic(
    "keeping chickens",
    "the hen house",
    "close the hen house before dark",
    "give the hens fresh water and grain",
    "collect the eggs each morning",
  ),
  topic(
    "travelling by train",
    "the timetable",
    "book a seat by the window two weeks ahead",
    "look up the platform before you leave home",
    "take the early train because it is seldom full",
  ),
  topic(
    "building a model railway",
    "the little engine",
    "draw the track on paper before you buy it",
    "clean the rails with a soft cloth",
    "start with one loop and two points",
  ),
  topic(
    "writing letters",
    "the envelope",
    "put the date in the top corner",
    "tell one small story from your week",
    "read the page aloud before you sign it",
  ),
  topic(
    "writing poems",
    "the last verse",
    "read the lines aloud to hear the beat",
    "cut every word that does no work",
    "put one clear picture in each verse",
  ),
  topic(
    "learning the piano",
    "the left hand",
    "play each hand alone before both together",
    "count the beats aloud",
    "practise the hard bar at half the speed",
  ),
  topic(
    "playing the guitar",
    "the strings",
    "tune the strings before you play",
    "press the string close behind the fret",
    "learn three chords and sing along",
  ),
  topic(
    "singing in a choir",
    "the second voice",
    "breathe low and keep the shoulders down",
    "mark the rests in your score with a pencil",
    "listen to the voice next to you",
  ),
  topic(
    "painting with watercolours",
    "the wet paper",
    "paint the light colours before the dark ones",
    "leave the paper white where the sun falls",
    "let each layer dry before the next",
  ),
  topic(
    "drawing faces",
    "the eyes",
    "set the eyes halfway down the head",
    "sketch the large shapes before the details",
    "look at the shadows and not at the outline",
  ),
  topic(
    "taking photographs",
    "the camera",
    "hold the camera with both hands",
    "keep the sun behind you",
    "move closer until nothing spare is in the frame",
  ),
  topic(
    "knitting scarves",
    "the wool",
    "cast on forty stitches with thick wool",
    "count the stitches at the end of each row",
    "wash the scarf in cold water",
  ),
  topic(
    "sewing curtains",
    "the hem",
    "measure the window twice and cut once",
    "press the hem flat with a hot iron",
    "use a strong thread in the same colour",
  ),
  topic(
    "carving wood",
    "the blade",
    "cut away from your hand",
    "follow the grain of the wood",
    "keep the blade sharp with an oiled stone",
  ),
  topic(
    "repairing bicycles",
    "the chain",
    "wipe the chain and oil each link",
    "pump the tyres until they are firm",
    "turn the bicycle upside down to free the wheel",
  ),
  topic(
    "hiking in the hills",
    "the path",
    "pack water and a warm coat",
    "tell a friend which path you take",
    "turn back in time to be down before dark",
  ),
  topic(
    "camping by a lake",
    "the tent",
    "pitch the tent on high and level ground",
    "hang the food in a tree overnight",
    "shake out the tent before you fold it",
  ),
  topic(
    "swimming lengths",
    "the water",
    "breathe out under the water",
    "keep the hips high and the legs long",
    "rest for a minute after each length",
  ),
  topic(
    "playing chess",
    "the king",
    "bring the king to safety within ten moves",
    "fight for the squares in the middle",
    "look at every check before you move",
  ),
  topic(
    "solving crosswords",
    "the short clues",
    "fill in the short answers with a pencil",
    "look for hidden words inside the clue",
    "leave a hard corner and come back later",
  ),
  topic(
    "watching birds",
    "the nest",
    "go out at dawn and stand still",
    "note the shape of the beak and the tail",
    "keep well away from the nest",
  ),
  topic(
    "looking at the stars",
    "the telescope",
    "wait until your eyes know the dark",
    "find the bright plough and go on from there",
    "choose a night without a moon",
  ),
  topic(
    "training a puppy",
    "the lead",
    "reward the puppy at once with a small treat",
    "keep every lesson under five minutes",
    "use the same short word each time",
  ),
  topic(
    "keeping goldfish",
    "the tank",
    "change a third of the water every week",
    "feed only what they eat in two minutes",
    "put the tank out of the sun",
  ),
  topic(
    "learning French",
    "the verbs",
    "learn ten words a day with small cards",
    "listen to slow news on the radio",
    "speak with a neighbour once a week",
  ),
  topic(
    "telling stories",
    "the hero",
    "give the hero a wish and a problem",
    "pause before the best line",
    "end soon after the surprise",
  ),
];

/** The topics of the pairs with `split: "eval"`. */
export const EVAL_TOPICS: readonly Topic[] = [
  topic(
    "keeping bees",
    "the hive",
    "open the hive on a calm and sunny day",
    "leave enough honey for the winter",
    "wear a veil and move without haste",
  ),
  topic(
    "making cheese",
    "the curds",
    "heat the milk with a thermometer in it",
    "stir the rennet in for one minute",
    "turn the cheese over every evening",
  ),
  topic(
    "sailing a dinghy",
    "the mainsail",
    "find out where the wind comes from",
    "duck when the boom swings across",
    "let the sheet go when a gust arrives",
  ),
  topic(
    "throwing pots",
    "the clay",
    "centre the clay with wet palms",
    "pull the walls up in three gentle strokes",
    "dry the bowl under a plastic bag",
  ),
  topic(
    "folding paper cranes",
    "the creases",
    "begin from a perfect square",
    "run a fingernail along all the creases",
    "open the wings after the neck is bent",
  ),
  topic(
    "playing the violin",
    "the bow",
    "loosen the bow when the practice ends",
    "rub a little rosin on the hair",
    "rest the chin lightly and relax the thumb",
  ),
  topic(
    "skating on ice",
    "the skates",
    "bend the knees and glide",
    "lace the skates tightly around the ankle",
    "fall to the side instead of backwards",
  ),
  topic(
    "picking mushrooms",
    "the basket",
    "carry a guidebook for the forest",
    "cut the stalk near the soil",
    "show the whole basket to an expert",
  ),
  topic(
    "juggling",
    "the third ball",
    "throw two balls in equal arcs",
    "stand facing a wall",
    "practise above a bed to save your back",
  ),
  topic(
    "collecting stamps",
    "the album",
    "soak the stamps off in a shallow dish",
    "lift them using tweezers",
    "sort the album by country and year",
  ),
];
