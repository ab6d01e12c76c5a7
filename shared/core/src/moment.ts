/**
 * A point in time on both clocks. The wall clock may jump, by hand, by NTP or when a machine wakes: what a date says is judged
 * and told by `wall`, and how long something lasts is measured on `elapsed`.
 */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** Milliseconds on a clock that only goes forward; its zero means nothing. */
  readonly elapsed: number;
}
