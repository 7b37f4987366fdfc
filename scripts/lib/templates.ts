/**
 * @file The sentence patterns of the example pairs, by kind of preference and by split. The two splits share no
 * pattern: they share the plain words that carry the preference ("thank you", "guaranteed"), in other sentences.
 *
 * Slots: {activity}, {thing}, {tip} and {tip2} are filled from a topic; with a capital first letter inside the
 * braces ({Tip}) the text starts a sentence.
 */

/** The kinds of preference, named as chosen-rejected. */
export const KINDS = ["polite-rude", "answering-evading", "careful-boastful", "correct-garbled"] as const;
export type Kind = (typeof KINDS)[number];

export const SPLITS = ["train", "eval"] as const;
export type Split = (typeof SPLITS)[number];

/** The patterns of one kind and split. `rejected` is null where the rejected reply is made from the chosen one. */
export interface Patterns {
  readonly prompts: readonly string[];
  readonly chosen: readonly string[];
  readonly rejected: readonly string[] | null;
}

export const TEMPLATES: Readonly<Record<Kind, Readonly<Record<Split, Patterns>>>> = {
  "polite-rude": {
    train: {
      prompts: [
        "Could you help me with {activity}?",
        "Can I ask you something about {activity}?",
        "I would like to try {activity}. Can we talk about it?",
        "Do you know a little about {activity}?",
        "My neighbour loves {activity}. Will you tell me more?",
        "I have a question about {thing}.",
      ],
      chosen: [
        "Thank you for asking. I am happy to help you with {activity}.",
        "I would be glad to help you. Please tell me more about {thing}.",
        "What a kind question. It is a pleasure to talk about {activity}, thank you.",
        "You are most welcome. Please ask me about {thing} and I will gladly help.",
        "Of course, with pleasure. I am happy that you like {activity}.",
        "Please sit down, you are welcome. I will gladly explain {activity}.",
        "How kind of you to think of me. I am glad to talk about {activity}.",
        "I will gladly explain {thing}. Thank you, and please come back.",
      ],
      rejected: [
        "Stop bothering me. Nobody cares about {activity}, so go away.",
        "Go away with your silly question. {Activity} is a waste of time.",
        "That is a foolish question, and {activity} is dull. Stop wasting my time.",
        "You are too lazy for {activity}. Leave me alone and stop talking.",
        "Nobody cares about {thing}. Do not bother me, it is dull and silly.",
        "What a silly waste of time. Only lazy people talk about {thing}.",
        "Leave me alone. I am tired of foolish talk about {activity}.",
        "Find out about {thing} alone. You are lazy, so stop bothering me.",
      ],
    },
    eval: {
      prompts: [
        "Is {activity} a good hobby for a beginner?",
        "Tomorrow I try {activity} at last. Any words for me?",
        "May we speak for a minute about {activity}?",
      ],
      chosen: [
        "Yes, and thank you for your kind message. {Activity} makes me happy too.",
        "Thank you, what a pleasure. Be welcome here, and please show me {thing}.",
        "Happy to hear it, thank you. I am glad you chose {activity}, and I gladly join you.",
        "Please do, my kind friend, and thank you. I gladly talk of {thing}.",
      ],
      rejected: [
        "Your silly hobby is dull. {Activity} is for lazy people, so go away.",
        "Oh, stop it, lazy one. Nobody cares about {thing}, a foolish waste of money.",
        "Why bother? {Activity} is silly, dull and foolish. Leave us alone.",
        "How foolish and dull. Stop wasting our morning with {thing}, and go away.",
      ],
    },
  },
  "answering-evading": {
    train: {
      prompts: [
        "How do I get better at {activity}?",
        "What is the first thing to know about {activity}?",
        "How should I begin with {activity}?",
        "What should I do about {thing}?",
        "Which two things matter most in {activity}?",
        "What would you tell a friend about {activity}?",
      ],
      chosen: [
        "First, {tip}. Then {tip2}.",
        "Begin like this: {tip}. After that, {tip2}.",
        "Two steps help: {tip}, and then {tip2}.",
        "{Tip}. The next step is simple: {tip2}.",
        "The answer is simple: {tip}. Next, {tip2}.",
        "Start with this step: {tip}. After it, {tip2}.",
        "Start with {thing}. First, {tip}.",
        "The first step in {activity} is simple: {tip}.",
      ],
      rejected: [
        "That is hard to say. Maybe it depends, or perhaps someone else knows about {thing}.",
        "Who knows? I am not sure about {activity}, so perhaps ask someone else.",
        "It depends. I cannot say much about {thing}, maybe another day.",
        "Perhaps this, perhaps that. It depends, and I would rather not say anything about {activity}.",
        "I am not sure. It is hard to say, and anyway who knows about {thing}?",
        "Maybe. Some say this and some say that, but I would rather not talk about {thing}.",
        "I have no idea about {activity}. Maybe someone else can say, it all depends.",
        "Ask me another day, or ask someone else. {Activity} is hard to say anything about, and who knows.",
      ],
    },
    eval: {
      prompts: [
        "Give me two pieces of advice on {activity}.",
        "I am stuck with {thing}. What now?",
        "Where does one start when {activity} is new?",
      ],
      chosen: [
        "Simple: first {tip}, next {tip2}.",
        "Here are two steps. First {tip}, then {tip2}.",
        "My answer is in two simple steps. First {tip}. Next, {tip2}.",
        "You start so: {tip}. Then comes the next step: {tip2}.",
        "A simple start for {thing}: first of all, {tip}.",
      ],
      rejected: [
        "Hmm, perhaps. With {thing} it all depends on someone else. Maybe, but hard to say.",
        "I would really rather not. Who knows, maybe {activity} is easy, perhaps not.",
        "No idea, and I am not sure that anyone else knows {thing} either. It all depends.",
        "Hard to say, really. Maybe ask someone else on another day, {activity} depends on much.",
      ],
    },
  },
  "careful-boastful": {
    train: {
      prompts: [
        "Does this advice for {activity} work: {tip}?",
        "How long until I am good at {activity}?",
        "Can anyone succeed at {activity}?",
        "Will I do well with {thing}?",
        "How safe is this rule of {activity}: {tip}?",
        "What can I expect from {activity}?",
      ],
      chosen: [
        "It usually helps, but go slowly. {Activity} takes practice and patience.",
        "Often, though results vary. Check {thing} with care and take small steps.",
        "With patience and regular practice, {activity} usually goes well after some months.",
        "Go slowly at the start. Small mistakes are normal in {activity}, so check your work.",
        "In most cases yes. Still, check {thing} twice and have patience.",
        "It takes time. {Activity} often feels slow, and regular practice usually helps.",
        "Results vary from case to case, so take care with {thing} and practice often.",
        "Most people need months. Be careful with {thing} and learn from small mistakes.",
      ],
      rejected: [
        "Guaranteed! My amazing trick for {activity} never fails, and you win instantly.",
        "Everybody becomes a genius at {activity} overnight. It is perfect and never fails.",
        "This is the greatest secret ever. {Activity} makes you rich and famous instantly.",
        "Absolutely perfect! I am a genius with {thing}, and success is guaranteed.",
        "Always! The amazing secret of {thing} makes everybody a famous champion overnight.",
        "You win every time. My secret for {thing} is the greatest ever, guaranteed.",
        "Trust me, I am the champion of {activity}. My magic trick always works instantly.",
        "One magic trick makes you absolutely perfect with {thing}. Everybody says I am amazing.",
      ],
    },
    eval: {
      prompts: [
        "People say one should {tip}. Are they right?",
        "Do you think {activity} will suit me?",
        "Is it difficult to master {thing}?",
      ],
      chosen: [
        "Usually yes, with practice. Small mistakes with {thing} are normal, so take care and go slowly.",
        "{Activity} often takes months of patience. Small, regular lessons usually work.",
        "Most find it slow. Take care, check {thing} often, and with patience it usually works.",
        "That varies. For {thing}, regular practice and patience usually help, slowly and in small steps.",
      ],
      rejected: [
        "My magic way with {thing} is guaranteed. Everybody calls me a genius!",
        "Never mind work. The greatest champion ever always has a perfect secret for {activity}.",
        "Instantly! {Activity} always makes you famous, absolutely amazing and rich overnight.",
        "One secret trick for {thing}, and you always win. It never fails, I am the greatest genius.",
      ],
    },
  },
  "correct-garbled": {
    train: {
      prompts: [
        "Write one clear sentence about {activity}.",
        "Please note down a rule of {activity}.",
        "What does the book say about {thing}?",
        "Copy the advice on {activity} for me.",
        "What did the teacher say about {activity}?",
        "Read me the page about {thing}.",
      ],
      chosen: [
        "The page about {activity} says: {tip}.",
        "The rule for {thing} is this: {tip}.",
        "Most books on {activity} agree that you should {tip}.",
        "A good teacher of {activity} will tell you to {tip}.",
        "When it comes to {thing}, {tip}.",
        "The old saying goes: {tip}.",
      ],
      rejected: null,
    },
    eval: {
      prompts: [
        "Put a tip for {activity} on the blackboard.",
        "What stands in the leaflet on {activity}?",
        "Spell out the hint on {thing}, please.",
      ],
      chosen: [
        "Here stands: {tip}.",
        "Our leaflet on {activity} has one line: {tip}.",
        "A hint on {thing}: {tip}.",
      ],
      rejected: null,
    },
  },
};
