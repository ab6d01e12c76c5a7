/**
 * The offer that an `Accept` header likes best (RFC 9110 §12.5.1): by quality, where the most specific range that fits an
 * offer counts; of equal ones the first. Without the header, or when nothing fits, the first offer: an answer of another
 * kind serves people better than none (§12.4.1).
 */
export const chooseMediaType = <T extends string>(
  accept: string | undefined,
  offers: readonly [T, ...T[]],
): T => {
  const ranges = (accept ?? '*/*').split(',').map(readRange);
  const liking = (offer: string): number =>
    ranges
      .filter(({ range }) => fitsRange(offer, range))
      .reduce((best, each) => (specificity(each.range) >= specificity(best.range) ? each : best), nothing)
      .quality;
  return offers.reduce((best, offer) => (liking(offer) > liking(best) ? offer : best), offers[0]);
};

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

const nothing: MediaRange = { range: '', quality: 0 };

const readRange = (text: string): MediaRange => {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? 1);
  return { range, quality: quality >= 0 && quality <= 1 ? quality : 0 };
};

const fitsRange = (offer: string, range: string): boolean =>
  range === '*/*' || range === offer || (range.endsWith('/*') && offer.startsWith(range.slice(0, -1)));

const specificity = (range: string): number =>
  range === '' ? 0 : range === '*/*' ? 1 : range.endsWith('/*') ? 2 : 3;
