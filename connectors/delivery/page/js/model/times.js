/** Times of day in a chosen zone: `UTC`, `local`, or an IANA name. */

export const ZONES = Object.freeze([
  "America/New_York",
  "America/Chicago",
  "America/Toronto",
  "America/Sao_Paulo",
  "Europe/London",
  "Europe/Berlin",
  "Europe/Zurich",
  "Asia/Dubai",
  "Asia/Kolkata",
  "Asia/Shanghai",
  "Asia/Hong_Kong",
  "Asia/Singapore",
  "Asia/Tokyo",
  "Asia/Seoul",
  "Australia/Sydney",
]);
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** Whether this browser knows the zone called `zone`. */
export function isZone(zone) {
  if (zone === "UTC" || zone === "local") return true;
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    return typeof zone === "string" && zone.includes("/");
  } catch {
    return false;
  }
}

/** The zone that bars of `frameMs` are shown in: bars of a day are days of UTC, wherever one looks from. */
export const zoneOfBars = (zone, frameMs) => (frameMs >= DAY_MS ? "UTC" : zone);

/** A clock of one zone: its offsets and its texts. Offsets are kept by quarter of an hour, which no zone changes within. */
export class ZoneClock {
  #offsets = new Map();
  #formats = new Map();
  #zone;

  constructor(zone) {
    this.#zone = zone === "local" ? undefined : zone;
  }

  /** What to add to a time in ms to have the wall clock's reading as if it were UTC. */
  offsetMs(atMs) {
    if (this.#zone === "UTC") return 0;
    const quarter = Math.floor(atMs / QUARTER_MS);
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      offset = wallClockMs(this.#parts(quarter * QUARTER_MS)) - quarter * QUARTER_MS;
      this.#offsets.set(quarter, offset);
    }
    return offset;
  }

  /** `14:05`, or `14:05:30` with seconds. */
  time(atMs, seconds = false) {
    return this.#wall(atMs)
      .toISOString()
      .slice(11, seconds ? 19 : 16);
  }

  /** `2026-11-22`. */
  date(atMs) {
    return this.#wall(atMs).toISOString().slice(0, 10);
  }

  /** `Sun 22 Nov 14:05`; bars of a day have no time: `Sun 22 Nov 2026`. */
  moment(atMs, { time = true } = {}) {
    const wall = this.#wall(atMs);
    const day = `${WEEKDAYS[wall.getUTCDay()]} ${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
    return time ? `${day} ${wall.toISOString().slice(11, 16)}` : `${day} ${wall.getUTCFullYear()}`;
  }

  /** The label of a mark on the time axis, `kind` as the chart library counts: year, month, day, time, time with seconds. */
  mark(atMs, kind) {
    const wall = this.#wall(atMs);
    if (kind === 0) return String(wall.getUTCFullYear());
    if (kind === 1) return MONTHS[wall.getUTCMonth()];
    if (kind === 2) return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
    return wall.toISOString().slice(11, kind === 4 ? 19 : 16);
  }

  /** `UTC`, `UTC+1`, `UTC−4:30` at a time. */
  offsetName(atMs) {
    const minutes = Math.round(this.offsetMs(atMs) / 60_000);
    if (minutes === 0) return "UTC";
    const rest = Math.abs(minutes) % 60;
    return `UTC${minutes < 0 ? "\u2212" : "+"}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
  }

  #wall(atMs) {
    return new Date(atMs + this.offsetMs(atMs));
  }

  #parts(atMs) {
    let format = this.#formats.get("parts");
    if (format === undefined) {
      const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
      format = new Intl.DateTimeFormat("en-US", { ...numeric, hourCycle: "h23", timeZone: this.#zone });
      this.#formats.set("parts", format);
    }
    return Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  }
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function wallClockMs({ year, month, day, hour, minute, second }) {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
