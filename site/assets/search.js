// The search: which plugins match a query, and how well. It doesn't touch the page; browse.js does.
const Search = (() => {
  "use strict";
  // Weight of a word by the field it appears in. Words of a title weigh more if the title is short. The weights are
  // integers because arrays of integers take half as much memory.
  const TITLE = 36, ONLY = 24, TAG = 36, NAME = 30, AUTHOR = 24, ABOUT = 12;
  // The share of that weight for inexact matches: another form of the word, a prefix match, a synonym, a substring
  // match, and a match with 0, 1 or 2 typing errors.
  const FORM = 0.9, BEGINNING = 0.5, SYNONYM = 0.7, INSIDE = 0.25, ERRORS = [0.5, 0.3, 0.15];
  // Disabled and abandoned plugins rank below others that match about as well.
  const DISABLED = 0.4, ABANDONED = 0.6;
  // A word that more than a quarter of the plugins contain, such as "print", is not required to match.
  const MANY = 20, SHARE = 1 / 4;
  // If fewer than FEW plugins match all words, add those that reach this share of the query's total weight.
  const FEW = 5, ENOUGH = 0.3;

  // Stop words. They count only if a query contains nothing else.
  const FILLING = new Set(("a about all also am an and any are as at be been but by can could do does for from get gets give gives "
    + "has have how i if in into is it its just let lets like make makes me my need no not of on one or our over please show shows "
    + "so some someone something tell tells than that the their them then there these they thing things this to use uses using via "
    + "want was way we what when where whether which while who will with without would you your "
    + "octoprint plugin plugins").split(" "));

  // Case and accents are ignored, because few people type names exactly as they are written.
  const plain = (text) => (/^[\x00-\x7f]*$/.test(text) ? text.toLowerCase()
    : text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss"));
  // Trailing + and # belong to the word, to distinguish C++ and C# from C.
  const split = (text) => plain(text).match(/[\p{L}\p{N}]+(?:[+#]+(?![\p{L}\p{N}+#]))?/gu) || [];
  // The words of a text, and also the parts of compounds such as `WebcamStreamer`.
  const spoken = (text) => (/\p{Ll}\p{Lu}/u.test(text)
    ? split(`${text} ${text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")}`) : split(text));
  const asked = (text) => {
    const all = split(text);
    const rest = all.filter((word) => !FILLING.has(word));
    return rest.length ? rest : all;
  };

  // A stem common to the forms of an English word. Suffixes are removed as long as three letters with a vowel remain, and
  // a doubled consonant at the end becomes a single one.
  const stem = (word) => {
    if (word.length < 4 || /[^a-z]/.test(word)) return word;
    let it = word.replace(/([^aeiou])ies$/, "$1y").replace(/(ss|sh|ch|x|z)es$/, "$1").replace(/([^siu])s$/, "$1");
    const cut = /^(.{3,}?)(?:ing|ed|er|or|ion|e)+$/.exec(it);
    if (cut && /[aeiouy]/.test(cut[1])) it = cut[1];
    it = it.replace(/if(?:y|i|icat)$/, "if").replace(/([^aeiou])is$/, "$1iz");
    if (/([^aeiou])\1$/.test(it) && (it.length > 4 || it.length > 3 && !/[lsz]$/.test(it))) it = it.slice(0, -1);
    return it;
  };

  // The edit distance (optimal string alignment: letters missing, added, changed or swapped with a neighbor) between a
  // typed word and a known one, and between the typed word and the best-matching prefix of the known one. Distances above
  // `most` are all returned as `most + 1`, so only a diagonal band of the matrix is computed (Ukkonen).
  const LONGEST = 40;
  const rows = Array.from({ length: 3 }, () => new Uint8Array(LONGEST + 3));
  const errors = (typed, known, most) => {
    const width = Math.min(known.length, typed.length + most);
    const more = most + 1;
    if (typed.length > LONGEST || typed.length - width > most) return [more, more];
    let [before, last, row] = rows;
    for (let j = 0; j <= most + 1; j++) last[j] = j;
    let letter = 0;
    for (let i = 1; i <= typed.length; i++) {
      const previous = letter;
      letter = typed.charCodeAt(i - 1);
      const from = i > most ? i - most : 1;
      const to = Math.min(width, i + most);
      let least = row[from - 1] = from > 1 ? more : i;
      for (let j = from; j <= to; j++) {
        const other = known.charCodeAt(j - 1);
        let cost = letter === other ? last[j - 1] : 1 + Math.min(last[j - 1], last[j], row[j - 1]);
        if (i > 1 && j > 1 && previous === other && letter === known.charCodeAt(j - 2)) cost = Math.min(cost, before[j - 2] + 1);
        row[j] = cost;
        if (cost < least) least = cost;
      }
      row[to + 1] = more;
      if (least > most) return [least, least];
      [before, last, row] = [last, row, before];
    }
    let begun = more;
    for (let j = Math.max(0, typed.length - most); j <= width; j++) if (last[j] < begun) begun = last[j];
    return [known.length > width ? more : last[width], begun];
  };
  // A bit for each letter, to rule out words with too many different letters without computing their distance.
  const letters = (word) => {
    let bits = 0;
    for (let at = 0; at < word.length; at++) bits |= 1 << (word.charCodeAt(at) & 31);
    return bits;
  };
  const ones = (bits) => {
    let count = 0;
    for (let rest = bits; rest; rest &= rest - 1) count++;
    return count;
  };

  // A search over the plugins of browse.json.
  const of = (index) => {
    const { title, stem: names, about, tags, authors, flags, month } = index.plugins;
    const size = title.length;
    // Maps each word to its postings: the position of a plugin, the weight there, the next position …
    const vocabulary = new Map();
    const forms = new Map();
    const telling = [];
    const filling = [];
    const meet = (word) => {
      const known = { word, places: [], bits: letters(word) };
      vocabulary.set(word, known);
      const root = stem(word);
      const same = forms.get(root);
      if (same) same.push(known);
      else forms.set(root, [known]);
      (FILLING.has(word) ? filling : telling).push(known);
      return known;
    };
    const say = (at, words, weight) => {
      for (const word of words) {
        const { places } = vocabulary.get(word) || meet(word);
        // The highest weight of a word is added first: ignore later ones.
        if (places[places.length - 2] !== at) places.push(at, weight);
      }
    };
    // Indexing 10,000 plugins takes longer than a frame, so it is done in steps, the most important fields first.
    const PART = 20;
    function* learn() {
      const tagWords = index.tags.map(spoken);
      const authorWords = index.authors.map(spoken);
      yield;
      for (let at = 0; at < size; at++) {
        const words = spoken(title[at]);
        const own = words.filter((word) => !FILLING.has(word)).length;
        say(at, words, TITLE + Math.round(ONLY / Math.max(1, own)));
        for (const tag of tags[at]) say(at, tagWords[tag], TAG);
        say(at, spoken(names[at]), NAME);
        for (const author of [authors[at]].flat()) say(at, authorWords[author], AUTHOR);
        if (at % PART === PART - 1) yield;
      }
      for (let at = 0; at < size; at++) {
        say(at, spoken(about[at]), ABOUT);
        if (at % PART === PART - 1) yield;
      }
    }
    const learning = learn();
    let isLearned = false;

    // Synonyms: from the stem of a word to other stems.
    const meanings = new Map();
    for (const [from, to] of index.synonyms) {
      for (const root of from.map(plain).map(stem)) {
        const others = to.map(plain).map(stem).filter((other) => other !== root);
        meanings.set(root, [...(meanings.get(root) || []), ...others]);
      }
    }
    const standing = Float32Array.from(flags, (bits, at) =>
      (bits & 8 ? DISABLED : bits & 2 ? ABANDONED : 1) * (1 + Math.log10(1 + month[at]) / 20));

    // The score of each plugin for one word, the number of matches, and the weight of the word (rare words weigh more).
    const look = (word, isLast) => {
      const found = new Float32Array(size);
      let count = 0;
      const add = (places, quality) => {
        for (let at = 0; at < places.length; at += 2) {
          const score = places[at + 1] * quality;
          if (!found[places[at]]) count++;
          if (found[places[at]] < score) found[places[at]] = score;
        }
      };
      const root = stem(word);
      for (const form of forms.get(root) || []) add(form.places, form.word === word ? 1 : FORM);
      for (const other of meanings.get(root) || []) {
        for (const form of forms.get(other) || []) add(form.places, SYNONYM);
      }
      // The last word may be incomplete. Other words match as prefixes only if they match nothing else.
      if (isLast || !count) {
        const begin = (entry) => {
          if (entry.word.startsWith(word)) add(entry.places, BEGINNING + 0.3 * word.length / entry.word.length);
        };
        telling.forEach(begin);
        // "plug" should not match "plugin" unless nothing else matches.
        if (!count) filling.forEach(begin);
      }
      // Only a complete index can tell that a word has no exact match.
      if (isLearned && !count && (word.length > 3 || /\p{Lo}/u.test(word))) {
        for (const entry of telling) if (entry.word.includes(word)) add(entry.places, INSIDE);
      }
      if (isLearned && !count && root.length > 3) {
        const most = word.length > 7 ? 2 : 1;
        const near = [[], [], []];
        const its = letters(root);
        for (const entry of telling) {
          if (ones(its & ~entry.bits) > most || root.length < 6 && entry.word[0] !== word[0]) continue;
          let [least, begun] = errors(word, entry.word, most);
          // If the suffix is misspelled, the stem may still match.
          if (root.length > 4) least = Math.min(least, begun, root === word ? begun : errors(root, entry.word, most)[1]);
          if (least <= most) near[least].push(entry.places);
        }
        const least = near.findIndex((places) => places.length);
        if (least >= 0) for (const places of near[least]) add(places, ERRORS[least]);
      }
      const rarity = Math.log((size + 1) / (count + 0.5));
      return { found, count, weight: Math.max(rarity * rarity, 0.01) };
    };
    const remembered = new Map();
    const lookOnce = (word, isLast) => {
      const key = `${word} ${isLast}`;
      if (!remembered.has(key)) {
        if (remembered.size > 50) remembered.clear();
        remembered.set(key, look(word, isLast));
      }
      return remembered.get(key);
    };

    // Indexes for at most `most` milliseconds; returns whether the index is complete.
    const prepare = (most) => {
      const end = performance.now() + most;
      if (!isLearned) remembered.clear();
      while (!isLearned && performance.now() < end) isLearned = learning.next().done;
      return isLearned;
    };

    // The given positions that match, best first, and whether they match all words. May run on an incomplete index.
    const find = (text, places) => {
      const typed = [...new Set(asked(text))];
      const looked = typed.map((word, at) => lookOnce(word, at === typed.length - 1));
      const said = looked.filter(({ count }) => count);
      const rare = said.filter(({ count }) => count <= MANY || count <= size * SHARE);
      const needed = rare.length ? rare : said;
      const rank = new Float64Array(size);
      const told = new Float64Array(size);
      for (const { found, weight } of said) {
        for (const at of places) if (found[at]) { rank[at] += found[at] * weight; told[at] += weight; }
      }
      for (const at of places) rank[at] *= standing[at];
      const all = needed.reduce((sum, { weight }) => sum + weight, 0);
      // Sorting numbers that combine rank and position is many times faster than sorting with a comparison function.
      const best = (some) => {
        const most = some.reduce((so, at) => Math.max(so, rank[at]), Number.MIN_VALUE);
        const keys = Float64Array.from(some, (at) => Math.floor(rank[at] / most * 2 ** 32) * size + size - 1 - at);
        return Array.from(keys.sort().reverse(), (key) => size - 1 - key % size);
      };
      const has = (at) => needed.every(({ found }) => found[at]);
      const hits = needed.length ? best(places.filter(has)) : [];
      const isAll = hits.length > 0 && said.length === looked.length;
      if (hits.length < FEW && needed.length > 1) {
        hits.push(...best(places.filter((at) => !has(at) && told[at] >= all * ENOUGH)));
      }
      return { hits, isAll };
    };
    return { prepare, find };
  };
  return { of };
})();
