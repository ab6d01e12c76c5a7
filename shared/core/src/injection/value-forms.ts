import { printDuration } from '../duration.ts';
import { quoted } from '../foreign-text.ts';
import { parseGoDuration } from '../go-duration.ts';
import { parseNetwork } from '../ip-network.ts';
import { isDnsName } from '../mesh/workload-identity.ts';
import { nearestWord } from '../nearest-word.ts';
import { highestPort, isPort, parsePortSet } from '../port-set.ts';
import { type Parsed, type Problem, parsed, problem } from '../problem.ts';
import { parseQuantity } from '../quantity.ts';

/**
 * How one value is written: in JSON of the settings and, as text, in an annotation. Values are kept in the form in which the
 * proxy's environment and the pod's manifest take them, so settings can be printed as JSON and read again.
 */
export interface ValueForm<T> {
  /** For people: `port`, `duration such as 5s`. */
  readonly form: string;
  readonly readText: (text: string, field: string) => Parsed<T>;
  readonly readJson: (value: unknown, field: string) => Parsed<T>;
}

const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  return Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : `the ${typeof value} ${value}`;
};

/** A form whose JSON is a string. */
const textForm = (form: string, readText: ValueForm<string>['readText']): ValueForm<string> => ({
  form,
  readText,
  readJson: (value, field) =>
    typeof value === 'string'
      ? readText(value, field)
      : problem(field, `${typeOf(value)} is not text`, `write ${form}, in quotes`),
});

/** The same, where an empty text switches the thing off. */
export const orNone = (inner: ValueForm<string>): ValueForm<string> =>
  textForm(`${inner.form}; empty = none`, (text, field) =>
    text === '' ? parsed('') : inner.readText(text, field),
  );

const normalised = <T>(outcome: Parsed<T>, print: (value: T) => string): Parsed<string> =>
  outcome.ok ? parsed(print(outcome.value)) : outcome;

/** One line, since it becomes a value of a manifest or an argument. */
export const line: ValueForm<string> = textForm('text', (text, field) =>
  text !== '' && text.length <= 1024 && !/\p{Cc}/u.test(text)
    ? parsed(text)
    : problem(field, `${quoted(text)} is not a line of text`, 'one line of 1 to 1024 characters'),
);

export const dnsName: ValueForm<string> = textForm('DNS name', (text, field) =>
  isDnsName(text)
    ? parsed(text)
    : problem(field, `${quoted(text)} is not a valid DNS name`, 'lower-case labels of at most 63 bytes'),
);

/** Such as `cr.l5d.io/linkerd/proxy`, with the port of a registry, without tag. */
export const imageName: ValueForm<string> = textForm('image name without tag', (text, field) =>
  /^[a-z0-9][\w.-]*(?::\d{1,5}(?=\/))?(?:\/[a-z0-9][\w.-]*)*$/i.test(text) && text.length <= 255
    ? parsed(text)
    : problem(
        field,
        `${quoted(text)} is not a valid image name`,
        'such as registry.example/linkerd/proxy, without tag',
      ),
);

/** A tag, or the digest after an `@`. */
export const imageVersion: ValueForm<string> = textForm('image tag or sha256 digest', (text, field) =>
  /^(?:\w[\w.-]{0,127}|sha256:[0-9a-f]{64})$/.test(text)
    ? parsed(text)
    : problem(
        field,
        `${quoted(text)} is not a valid image tag`,
        'such as edge-26.8.3, or sha256: and 64 hex digits',
      ),
);

/** In the proxy's form: a whole number with a unit. Go's form, which Linkerd's annotations have, is read too. */
export const duration: ValueForm<string> = textForm('duration such as 5s or 1m30s', (text, field) => {
  const days = /^\d{1,5}d$/.test(text);
  return days ? parsed(text) : normalised(parseGoDuration(text, field), printDuration);
});

export const quantity: ValueForm<string> = textForm(
  'Kubernetes quantity such as 100m or 64Mi',
  (text, field) => normalised(parseQuantity(text, field), () => text),
);

/** Kept as written: proxy-init and the proxy read the same form. */
export const ports: ValueForm<string> = textForm('ports and ranges such as 25,9090-9099', (text, field) =>
  normalised(parsePortSet(text, field), () => text.replaceAll(' ', '')),
);

/** A list of ports or of container port names, which only the pod can resolve. */
export const portsOrNames: ValueForm<string> = textForm(
  'ports, ranges and container port names such as 25,9090-9099,mysql',
  (text, field) => {
    const problems = text.split(',').flatMap((each): readonly Problem[] => {
      const item = each.trim();
      if (/^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/.test(item)) return [];
      const outcome = parsePortSet(item, field);
      return outcome.ok ? [] : outcome.problems;
    });
    return problems.length > 0 ? { ok: false, problems } : parsed(text.replaceAll(' ', ''));
  },
);

export const networks: ValueForm<string> = textForm('networks such as 10.0.0.0/8,fd00::/8', (text, field) => {
  const problems = text.split(',').flatMap((item) => {
    const outcome = parseNetwork(item.trim(), field);
    return outcome.ok ? [] : outcome.problems;
  });
  return problems.length > 0 ? { ok: false, problems } : parsed(text.replaceAll(' ', ''));
});

/** One of a few words; a near miss is named. */
export const oneOf = <const Words extends readonly string[]>(words: Words): ValueForm<Words[number]> => {
  const readText = (text: string, field: string): Parsed<Words[number]> => {
    if (words.includes(text)) return parsed(text as Words[number]);
    const meant = nearestWord(text, words);
    const hint = meant === undefined ? '' : `${meant} is meant? `;
    return problem(field, `${quoted(text)} is not known`, `${hint}use one of ${words.join(', ')}`);
  };
  return {
    form: words.map((word) => `\`${word}\``).join(', '),
    readText,
    readJson: (value, field) =>
      typeof value === 'string'
        ? readText(value, field)
        : problem(field, `${typeOf(value)} is not text`, `use one of ${words.join(', ')}`),
  };
};

const numberForm = (form: string, isValid: (value: number) => boolean): ValueForm<number> => {
  const read = (value: number, shown: string, field: string): Parsed<number> =>
    isValid(value) ? parsed(value) : problem(field, `${shown} is not a valid value`, `write ${form}`);
  return {
    form,
    readText: (text, field) =>
      read(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN, quoted(text), field),
    readJson: (value, field) =>
      typeof value === 'number' ? read(value, `${value}`, field) : read(Number.NaN, typeOf(value), field),
  };
};

export const port: ValueForm<number> = numberForm(`a port from 1 to ${highestPort}`, isPort);

/** A user or group id; 0 is root, which no proxy needs. */
export const userId: ValueForm<number> = numberForm(
  'an id from 1 to 4294967294',
  (value) => Number.isInteger(value) && value >= 1 && value <= 4_294_967_294,
);

/** A whole number; 0 switches the thing off. */
export const count: ValueForm<number> = numberForm(
  'a whole number from 0 to 1000000',
  (value) => Number.isInteger(value) && value >= 0 && value <= 1_000_000,
);

/** Of the node's cores; 0 = not set. */
export const ratio: ValueForm<number> = numberForm(
  'a ratio from 0 to 1, such as 0.5',
  (value) => value >= 0 && value <= 1,
);

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  // Linkerd reads these annotations with Go's strconv.ParseBool, some of them by the words enabled and disabled.
  '1': true,
  '0': false,
  t: true,
  f: false,
  T: true,
  F: false,
  TRUE: true,
  FALSE: false,
  True: true,
  False: false,
  enabled: true,
  disabled: false,
};

export const flag: ValueForm<boolean> = {
  form: '`true` or `false`',
  readText: (text, field) => {
    const value = Object.hasOwn(truths, text) ? truths[text] : undefined;
    return value === undefined
      ? problem(field, `${quoted(text)} is neither true nor false`, 'write true or false')
      : parsed(value);
  },
  readJson: (value, field) =>
    typeof value === 'boolean'
      ? parsed(value)
      : problem(field, `${typeOf(value)} is neither true nor false`, 'write true or false, without quotes'),
};
