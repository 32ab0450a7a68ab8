// Numbers and times as a locale writes them: evaluated when a script first asks for it. German, English (US, GB) and
// French; time zones UTC and those of the European Union's summer time. The engine has no Intl of its own.
// Sources: ECMA-402 (Intl.NumberFormat, Intl.DateTimeFormat: options and defaults), Unicode CLDR (patterns and names),
// Directive 2000/84/EC (summer time: last Sundays of March and October, 1:00 UTC).
(function () {
  "use strict";
  const LANGUAGES = {
    __proto__: null,
    en: { group: ",", decimal: ".", percent: "%", date: "M/D/Y", between: ", ", h12: true, months: "January February March April May June July August September October November December", days: "Sunday Monday Tuesday Wednesday Thursday Friday Saturday", short: 3 },
    de: { group: ".", decimal: ",", percent: "\u00a0%", date: "D.M.Y", between: ", ", months: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember", days: "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag", short: 3 },
    fr: { group: "\u202f", decimal: ",", percent: "\u202f%", date: "DD/MM/Y", between: " ", months: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre", days: "dimanche lundi mardi mercredi jeudi vendredi samedi", short: 3 },
  };
  LANGUAGES["en-GB"] = { ...LANGUAGES.en, date: "DD/MM/Y", h12: false };
  const ZONES = {
    __proto__: null,
    utc: [0], "etc/utc": [0], gmt: [0], "etc/gmt": [0], "atlantic/reykjavik": [0],
    "europe/london": [0, 1], "europe/dublin": [0, 1], "europe/lisbon": [0, 1],
    "europe/moscow": [3], "europe/istanbul": [3], "europe/minsk": [3],
  };
  for (const city of "amsterdam andorra belgrade berlin bratislava brussels budapest busingen copenhagen gibraltar ljubljana luxembourg madrid malta monaco oslo paris podgorica prague rome san_marino sarajevo skopje stockholm tirane vaduz vatican vienna warsaw zagreb zurich".split(" "))
    ZONES[`europe/${city}`] = [1, 1];
  for (const city of "athens bucharest chisinau helsinki kiev kyiv mariehamn riga sofia tallinn vilnius".split(" "))
    ZONES[`europe/${city}`] = [2, 1];

  const wrong = (what) => new RangeError(what);
  const HOUR = 3600000;

  function languageOf(locales) {
    const tag = String((Array.isArray(locales) ? locales[0] : locales) ?? "en-US");
    if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(tag)) throw wrong(`Incorrect locale information provided`);
    const found = tag.toLowerCase() === "en-gb" ? "en-GB" : tag.slice(0, 2).toLowerCase();
    return [found in LANGUAGES ? tag : "en-US", LANGUAGES[found] ?? LANGUAGES.en];
  }

  function lastSunday(year, month) {
    const end = new Date(Date.UTC(year, month + 1, 0, 1));
    return end.getTime() - end.getUTCDay() * 24 * HOUR;
  }

  function offsetMs(zone, time) {
    const [hours, summer] = zone;
    if (!summer) return hours * HOUR;
    const year = new Date(time).getUTCFullYear();
    return (hours + (time >= lastSunday(year, 2) && time < lastSunday(year, 9) ? 1 : 0)) * HOUR;
  }

  // ---- numbers

  function digitsOf(value, least, most) {
    let text = value.toFixed(most);
    if (/e/.test(text)) return [text, ""];
    let [whole, part = ""] = text.split(".");
    while (part.length > least && part.endsWith("0")) part = part.slice(0, -1);
    return [whole, part];
  }

  function numberText(value, [, language], options) {
    const number = typeof value === "bigint" ? Number(value) : Number(value);
    if (Number.isNaN(number)) return "NaN";
    const isPercent = options.style === "percent";
    const scaled = Math.abs(isPercent ? number * 100 : number);
    const least = options.minimumFractionDigits ?? Math.min(0, options.maximumFractionDigits ?? 0);
    const most = options.maximumFractionDigits ?? Math.max(least, isPercent ? 0 : 3);
    if (!(least >= 0 && least <= most && most <= 100)) throw wrong("maximumFractionDigits value is out of range.");
    let text;
    if (scaled === Infinity) text = "∞";
    else {
      let [whole, part] = options.maximumSignificantDigits
        ? digitsOf(Number(scaled.toPrecision(options.maximumSignificantDigits)), 0, 20)
        : digitsOf(scaled, least, most);
      whole = whole.padStart(options.minimumIntegerDigits ?? 1, "0");
      if (options.useGrouping !== false) whole = whole.replace(/\B(?=(\d{3})+$)/g, language.group);
      text = part ? whole + language.decimal + part : whole;
    }
    return (number < 0 || Object.is(number, -0) ? "-" : "") + text + (isPercent ? language.percent : "");
  }

  // ---- dates

  const two = (n) => String(n).padStart(2, "0");
  const PARTS = ["weekday", "year", "month", "day", "hour", "minute", "second", "fractionalSecondDigits", "dateStyle", "timeStyle"];

  function withDefaults(options, what) {
    if (PARTS.some((name) => options[name] !== undefined)) return options;
    const date = { year: "numeric", month: "numeric", day: "numeric" };
    const time = { hour: "numeric", minute: "2-digit", second: "2-digit" };
    return { ...options, ...(what === "time" ? {} : date), ...(what === "date" ? {} : time) };
  }

  function dateText(value, [, language], options) {
    const time = value === undefined ? Date.now() : Number(value);
    if (Number.isNaN(time)) throw wrong("Invalid time value");
    if (options.dateStyle || options.timeStyle) throw wrong("dateStyle and timeStyle are not available to scripts");
    const zone = ZONES[String(options.timeZone ?? "UTC").toLowerCase()];
    if (!zone) throw wrong(`Invalid time zone specified: ${options.timeZone}`);
    const local = new Date(time + offsetMs(zone, time));
    const date = dayText(local, language, options);
    const clock = clockText(local, language, options);
    return date && clock ? date + language.between + clock : date + clock;
  }

  function dayText(local, language, options) {
    const { weekday, year, month, day } = options;
    const name = (list, index, style) => {
      const full = list.split(" ")[index];
      return style === "long" ? full : full.slice(0, style === "narrow" ? 1 : language.short);
    };
    const number = (value, style, pad) => (style === "2-digit" || (style === "numeric" && pad) ? two(value % 100) : String(value));
    const inWords = month === "long" || month === "short" || month === "narrow";
    const years = year && (year === "2-digit" ? two(local.getUTCFullYear() % 100) : String(local.getUTCFullYear()));
    const days = weekday && name(language.days, local.getUTCDay(), weekday);
    let text;
    if (inWords) {
      const months = name(language.months, local.getUTCMonth(), month);
      const dot = language === LANGUAGES.de && day ? "." : "";
      const dated = day && number(local.getUTCDate(), day, false);
      text = language.h12 ? [[months, dated].filter(Boolean).join(" "), years].filter(Boolean).join(day ? ", " : " ") : [dated && dated + dot, months, years].filter(Boolean).join(" ");
    } else {
      const order = language.date.split(/[/.]/);
      const mark = language.date.includes(".") ? "." : "/";
      const shown = order.map((sign) => {
        if (sign[0] === "Y") return years;
        return sign[0] === "M" ? month && number(local.getUTCMonth() + 1, month, sign.length === 2) : day && number(local.getUTCDate(), day, sign.length === 2);
      });
      text = shown.filter(Boolean).join(mark);
    }
    return [days, text].filter(Boolean).join(", ");
  }

  function clockText(local, language, options) {
    const { hour, minute, second } = options;
    if (!hour && !minute && !second) return "";
    const cycle = options.hourCycle ?? (options.hour12 === undefined ? (language.h12 ? "h12" : "h23") : options.hour12 ? "h12" : "h23");
    const isHalf = cycle === "h12" || cycle === "h11";
    const hours = local.getUTCHours();
    const shown = [];
    if (hour) {
      const value = cycle === "h12" ? hours % 12 || 12 : cycle === "h24" ? hours || 24 : hours;
      shown.push(hour === "2-digit" || (!isHalf && minute) ? two(value) : String(value));
    }
    if (minute) shown.push(hour || second || minute === "2-digit" ? two(local.getUTCMinutes()) : String(local.getUTCMinutes()));
    if (second) shown.push(minute || second === "2-digit" ? two(local.getUTCSeconds()) : String(local.getUTCSeconds()));
    return shown.join(":") + (hour && isHalf ? (hours < 12 ? "\u202fAM" : "\u202fPM") : "");
  }

  class NumberFormat {
    #language;
    #options;
    constructor(locales, options = {}) {
      this.#language = languageOf(locales);
      this.#options = { ...options };
      this.format = (value) => numberText(value, this.#language, this.#options);
    }
    resolvedOptions() {
      return { locale: this.#language[0], numberingSystem: "latn", style: "decimal", ...this.#options };
    }
  }

  class DateTimeFormat {
    #language;
    #options;
    constructor(locales, options = {}) {
      this.#language = languageOf(locales);
      this.#options = withDefaults({ ...options }, "date");
      this.format = (value) => dateText(value, this.#language, this.#options);
    }
    resolvedOptions() {
      return { locale: this.#language[0], calendar: "gregory", numberingSystem: "latn", timeZone: "UTC", ...this.#options };
    }
  }

  const dated = (what) => (date, locales, options = {}) =>
    Number.isNaN(date.getTime()) ? "Invalid Date" : dateText(date, languageOf(locales), only(withDefaults(options, what), what));
  const only = (options, what) => {
    if (what === "date" && !["weekday", "year", "month", "day"].some((name) => options[name])) return { ...options, ...withDefaults({}, "date") };
    if (what === "time" && !["hour", "minute", "second"].some((name) => options[name])) return { ...options, ...withDefaults({}, "time") };
    return options;
  };

  return {
    Intl: { NumberFormat, DateTimeFormat },
    number: (value, locales, options = {}) => numberText(value, languageOf(locales), options),
    date: dated("all"),
    day: dated("date"),
    time: dated("time"),
  };
})();
