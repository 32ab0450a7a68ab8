// Numbers and times as a locale writes them: evaluated when a script first asks for it. Numbers and figures of dates in
// German, English (US, GB) and French; names of months and days in English only; time zones UTC and those with the
// European Union's summer time. What is not covered throws: a wrong text would be worse. The engine has no Intl.
// Sources: ECMA-402 (Intl.NumberFormat, Intl.DateTimeFormat: options and defaults), Unicode CLDR (patterns and names),
// Directive 2000/84/EC (summer time: last Sundays of March and October, 1:00 UTC).
(function () {
  "use strict";
  const HOUR_MS = 3600000;
  const MONTHS =
    "January February March April May June July August September October November December".split(" ");
  const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
  const en = { group: ",", decimal: ".", percent: "%", order: ["M", "D", "Y"], mark: "/", between: ", ", is12: true };
  const LANGUAGES = {
    __proto__: null,
    en,
    "en-gb": { ...en, order: ["DD", "MM", "Y"], is12: false },
    de: { group: ".", decimal: ",", percent: "\u00a0%", order: ["D", "M", "Y"], mark: ".", between: ", " },
    fr: { group: "\u202f", decimal: ",", percent: "\u00a0%", order: ["DD", "MM", "Y"], mark: "/", between: " " },
  };
  const CENTRAL =
    "amsterdam andorra belgrade berlin bratislava brussels budapest busingen copenhagen gibraltar ljubljana " +
    "luxembourg madrid malta monaco oslo paris podgorica prague rome san_marino sarajevo skopje stockholm tirane " +
    "vaduz vatican vienna warsaw zagreb zurich";
  const EASTERN = "athens bucharest helsinki kiev kyiv mariehamn riga sofia tallinn vilnius";
  const ZONES = { __proto__: null, utc: [0], "etc/utc": [0], gmt: [0], "etc/gmt": [0] };
  for (const [hours, cities] of [[0, "london dublin lisbon"], [1, CENTRAL], [2, EASTERN]])
    for (const city of cities.split(" ")) ZONES[`europe/${city}`] = [hours, 1];

  const wrong = (text) => new RangeError(text);
  const not = (what) => wrong(`${what} is not available to scripts`);

  function languageOf(locales) {
    const tag = String((Array.isArray(locales) ? locales[0] : locales) ?? "en-US");
    if (!/^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i.test(tag)) throw wrong("Incorrect locale information provided");
    const lower = tag.toLowerCase();
    const language = LANGUAGES[lower] ?? LANGUAGES[lower.split("-")[0]];
    if (!language) throw not(`the locale ${tag}`);
    return language;
  }

  function refuse(options, names) {
    for (const name of names.split(" ")) if (options[name] !== undefined) throw not(`${name}: "${options[name]}"`);
  }

  // ---- numbers

  // Rounded half up on the shortest decimal digits that mean the number, not on its binary value: 1.005 becomes 1.01.
  function digitsOf(value, shift, least, most) {
    const [mantissa, exponent] = value.toExponential().split("e");
    let digits = BigInt(mantissa.replace(".", ""));
    let places = mantissa.replace(".", "").length - 1 - Number(exponent) - shift;
    if (places > most) {
      const unit = 10n ** BigInt(places - most);
      digits = (digits + unit / 2n) / unit;
      places = most;
    } else if (places < 0) {
      digits *= 10n ** BigInt(-places);
      places = 0;
    }
    const text = digits.toString().padStart(places + 1, "0");
    let part = text.slice(text.length - places).padEnd(least, "0");
    while (part.length > least && part.endsWith("0")) part = part.slice(0, -1);
    return [text.slice(0, text.length - places), part];
  }

  function numberText(value, language, options) {
    refuse(options, "currency unit notation signDisplay minimumSignificantDigits maximumSignificantDigits");
    const number = Number(value);
    const isPercent = options.style === "percent";
    if (Number.isNaN(number)) return isPercent ? `NaN${language.percent}` : "NaN";
    const size = Math.abs(number);
    const most = options.maximumFractionDigits ?? Math.max(options.minimumFractionDigits ?? 0, isPercent ? 0 : 3);
    const least = options.minimumFractionDigits ?? 0;
    if (!(least >= 0 && least <= most && most <= 100)) throw wrong("maximumFractionDigits value is out of range.");
    let text = "∞";
    if (size !== Infinity) {
      let [whole, part] = digitsOf(size, isPercent ? 2 : 0, least, most);
      whole = whole.padStart(options.minimumIntegerDigits ?? 1, "0");
      if (options.useGrouping !== false) whole = whole.replace(/\B(?=(\d{3})+$)/g, language.group);
      text = part ? whole + language.decimal + part : whole;
    }
    return (number < 0 || Object.is(number, -0) ? "-" : "") + text + (isPercent ? language.percent : "");
  }

  // ---- dates

  const two = (number) => String(number % 100).padStart(2, "0");
  const DAY_PARTS = { weekday: undefined, year: "numeric", month: "numeric", day: "numeric" };
  const CLOCK_PARTS = { hour: "numeric", minute: "2-digit", second: "2-digit" };
  const some = (options, parts) => Object.keys(parts).some((name) => options[name] !== undefined);

  // What is shown when the options name no part of a date or a time. `what`: "date", "time" or "all".
  function complete(options, what, isMethod) {
    const hasDay = some(options, DAY_PARTS);
    const hasClock = some(options, CLOCK_PARTS);
    const out = { ...options };
    if (what === "all" ? !hasDay && !hasClock : what === "date" && !hasDay && (isMethod || !hasClock)) Object.assign(out, DAY_PARTS);
    if (what === "all" ? !hasDay && !hasClock : what === "time" && !hasClock) Object.assign(out, CLOCK_PARTS);
    return out;
  }

  function lastSunday(year, month) {
    const end = new Date(Date.UTC(year, month + 1, 0, 1));
    return end.getTime() - end.getUTCDay() * 24 * HOUR_MS;
  }

  function offsetMs(name, time) {
    const zone = ZONES[String(name ?? "UTC").toLowerCase()];
    if (!zone) throw not(`the time zone ${name}`);
    const year = new Date(time).getUTCFullYear();
    if (zone[1] && year < 1996) throw not(`${name} before 1996`); // summer time ended on other days
    const isSummer = zone[1] && time >= lastSunday(year, 2) && time < lastSunday(year, 9);
    return (zone[0] + (isSummer ? 1 : 0)) * HOUR_MS;
  }

  function dateText(value, language, options) {
    refuse(options, "dateStyle timeStyle timeZoneName fractionalSecondDigits dayPeriod era calendar numberingSystem");
    const time = value === undefined ? Date.now() : Number(value);
    if (Number.isNaN(time)) throw wrong("Invalid time value");
    const local = new Date(time + offsetMs(options.timeZone, time));
    const [day, isLong] = dayText(local, language, options);
    const clock = clockText(local, language, options);
    return [day, clock].filter(Boolean).join(isLong ? " at " : language.between);
  }

  function dayText(local, language, options) {
    const { weekday, year, month, day } = options;
    const named = (names, index, style) => (style === "long" ? names[index] : names[index].slice(0, 3));
    const figure = (value, style, pad) => (style === "2-digit" || pad ? two(value) : String(value));
    const isNamed = month === "long" || month === "short";
    if (month === "narrow" || weekday === "narrow") throw not("narrow");
    if ((isNamed || weekday) && language !== en) throw not("the name of a month or a day in another language than US English");
    const years = year && figure(local.getUTCFullYear(), year);
    const days = weekday && named(DAYS, local.getUTCDay(), weekday);
    if (isNamed) {
      const first = [named(MONTHS, local.getUTCMonth(), month), day && figure(local.getUTCDate(), day)].filter(Boolean).join(" ");
      return [[days, first, years].filter(Boolean).join(", ").replace(day ? "" : ", ", day ? "" : " "), month === "long"];
    }
    const parts = { Y: years, M: month && [local.getUTCMonth() + 1, month], D: day && [local.getUTCDate(), day] };
    const count = [year, month, day].filter(Boolean).length;
    const shown = language.order.map((sign) => {
      const part = parts[sign[0]];
      return Array.isArray(part) ? figure(...part, count > 1 && sign.length === 2) : part;
    });
    return [[days, shown.filter(Boolean).join(language.mark)].filter(Boolean).join(", "), false];
  }

  function clockText(local, language, { hour, minute, second, hour12, hourCycle }) {
    const plain = language.is12 ? "h12" : "h23";
    // US English without 12 hours counts from 1 to 24, as Node.js does.
    const cycle = hour12 === undefined ? hourCycle ?? plain : hour12 ? "h12" : language.is12 ? "h24" : "h23";
    if (cycle === "h11") throw not("h11");
    const hours = local.getUTCHours();
    const counted = cycle === "h12" ? hours % 12 || 12 : cycle === "h24" ? hours || 24 : hours;
    const alone = [hour, minute, second].filter(Boolean).length < 2;
    const shown = [
      hour && (hour === "2-digit" || cycle !== "h12" ? two(counted) : String(counted)),
      minute && (alone ? String(local.getUTCMinutes()) : two(local.getUTCMinutes())),
      second && (alone ? String(local.getUTCSeconds()) : two(local.getUTCSeconds())),
    ];
    const unit = hour && cycle === "h12" ? (hours < 12 ? " AM" : " PM") : "";
    if (alone && hour && language !== en && !language.is12) throw not("an hour alone");
    return shown.filter(Boolean).join(":") + unit;
  }

  function formatter(text, prepare) {
    return class {
      #options;
      #language;
      constructor(locales, options = {}) {
        this.#language = languageOf(locales);
        this.#options = prepare(options);
        this.format = (value) => text(value, this.#language, this.#options);
      }
      resolvedOptions() {
        return { timeZone: "UTC", ...this.#options };
      }
    };
  }

  const dated = (what) => (time, locales, options = {}) =>
    Number.isNaN(time) ? "Invalid Date" : dateText(time, languageOf(locales), complete(options, what, true));
  return {
    Intl: {
      NumberFormat: formatter(numberText, (options) => ({ ...options })),
      DateTimeFormat: formatter(dateText, (options) => complete(options, "date", false)),
    },
    number: (value, locales, options = {}) => numberText(value, languageOf(locales), options),
    date: dated("all"),
    day: dated("date"),
    time: dated("time"),
  };
})();
