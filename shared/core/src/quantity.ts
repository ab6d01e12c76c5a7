import { quoted } from './foreign-text.ts';
import { type Parsed, parsed, problem } from './problem.ts';

/** Powers of ten and of two, as resource.Quantity of the Kubernetes API has them; `m` is a thousandth. */
const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const form = /^(\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/**
 * Reads a Kubernetes quantity such as `100m`, `0.5`, `64Mi` or `1e3`: cores or bytes. A negative one is refused, since no
 * container can ask for it. The value serves comparisons and rounding; manifests keep the text as it was written.
 */
export const parseQuantity = (text: string, field = ''): Parsed<number> => {
  const [, digits, suffix = '', exponent] = form.exec(text) ?? [];
  const factor = exponent === undefined ? suffixes[suffix] : 10 ** Number(exponent);
  return digits === undefined || factor === undefined
    ? problem(
        field,
        `${quoted(text)} is not a valid quantity`,
        'write cores such as 100m or 2, bytes such as 64Mi',
      )
    : parsed(Number(digits) * factor);
};
