/** @file Python's strftime in the C locale, in which transformers' strftime_now writes the date. */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const day = 86_400_000;
const pad = (n: number, width = 2) => String(n).padStart(width, "0");
const dayOfYear = (t: Date) => Math.floor((t.getTime() - Date.UTC(t.getUTCFullYear(), 0, 1)) / day) + 1;
const hour12 = (t: Date) => t.getUTCHours() % 12 || 12;
const dayName = (t: Date) => DAYS[t.getUTCDay()] ?? "";
const monthName = (t: Date) => MONTHS[t.getUTCMonth()] ?? "";

const FIELDS: Readonly<Record<string, (t: Date) => string>> = {
  a: (t) => dayName(t).slice(0, 3),
  A: dayName,
  w: (t) => String(t.getUTCDay()),
  u: (t) => String(t.getUTCDay() || 7),
  d: (t) => pad(t.getUTCDate()),
  e: (t) => String(t.getUTCDate()).padStart(2, " "),
  b: (t) => monthName(t).slice(0, 3),
  h: (t) => monthName(t).slice(0, 3),
  B: monthName,
  m: (t) => pad(t.getUTCMonth() + 1),
  y: (t) => pad(t.getUTCFullYear() % 100),
  Y: (t) => String(t.getUTCFullYear()),
  H: (t) => pad(t.getUTCHours()),
  I: (t) => pad(hour12(t)),
  p: (t) => (t.getUTCHours() < 12 ? "AM" : "PM"),
  M: (t) => pad(t.getUTCMinutes()),
  S: (t) => pad(t.getUTCSeconds()),
  f: () => "000000",
  j: (t) => pad(dayOfYear(t), 3),
  z: () => "",
  Z: () => "",
  F: (t) => strftime(t, "%Y-%m-%d"),
  T: (t) => strftime(t, "%H:%M:%S"),
  R: (t) => strftime(t, "%H:%M"),
  D: (t) => strftime(t, "%m/%d/%y"),
  c: (t) => strftime(t, "%a %b %e %H:%M:%S %Y"),
  x: (t) => strftime(t, "%m/%d/%y"),
  X: (t) => strftime(t, "%H:%M:%S"),
  "%": () => "%",
};

/**
 * @param time a wall clock, kept as if it were UTC
 * @throws Error naming a directive that isn't known here
 */
export function strftime(time: Date, format: string): string {
  return format.replace(/%(-?)(.)/gsu, (directive, dash: string, name: string) => {
    const field = FIELDS[name];
    if (field === undefined) throw new Error(`strftime_now doesn't know ${directive}`);
    const text = field(time);
    return dash === "" ? text : text.replace(/^[0 ]+(?=.)/, ""); // glibc's %-d: no padding
  });
}
