/** @file The date that a template's strftime_now writes, as a user gives it. */

/** "YYYY-MM-DD", or with "THH:MM:SS"; a day that the calendar has. */
export function isDate(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(value)) return false;
  const time = new Date(`${clockOf(value)}Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(clockOf(value));
}

/** "YYYY-MM-DDTHH:MM:SS" */
export function clockOf(date: string): string {
  return date.includes("T") ? date : `${date}T00:00:00`;
}

/** The local time. */
export function clockNow(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
