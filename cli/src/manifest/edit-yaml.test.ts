import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Addition, addition } from '@gatehouse/core/injection/json-patch';
import { jsonPatch } from '@gatehouse/dev/api-server/json-patch';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { randomFrom } from '@gatehouse/testing/random-from';
import { addToYaml } from './add-to-yaml.ts';
import { type Place, removeFromYaml } from './remove-from-yaml.ts';

const readValue = (text: string): unknown => {
  const loaded = loadYaml(text);
  assert.ok(loaded.ok, `${JSON.stringify(loaded)}\n${text}`);
  return loaded.value[0];
};

type Value = string | number | null | readonly Value[] | { readonly [name: string]: Value };

/** Prints a value as a person with changing habits would: blocks and braces, comments, lists with and without indentation. */
class Scribe {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  is(chance: number): boolean {
    return this.#next() < chance;
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.#next() * choices.length)] as T;
  }

  #comment(indent: number): string {
    if (!this.is(0.1)) return '';
    return this.pick(
      `${' '.repeat(indent)}# why\n`,
      '\n',
      `${' '.repeat(Math.max(0, indent - 2))}# of the outer\n`,
    );
  }

  #scalar(value: string | number | null): string {
    if (value === null) return this.pick('', '', '~', 'null');
    return typeof value === 'number' ? `${value}` : this.pick(value, `"${value}"`, `'${value}'`);
  }

  flow(value: Value): string {
    if (typeof value !== 'object' || value === null) return this.#scalar(value);
    const wide = this.pick('', ' ');
    if (Array.isArray(value))
      return `[${wide.repeat(0)}${value.map((item) => this.flow(item)).join(`,${wide}`)}]`;
    return `{${Object.entries(value)
      .map(([name, each]) => `${name}: ${this.flow(each)}`)
      .join(`,${wide}`)}}`;
  }

  /** What stands after a key, beginning with a space or a new line. */
  #after(value: Value, indent: number): string {
    if (typeof value !== 'object' || value === null)
      return `${value === null ? this.pick('', ' null', ' ~') : ` ${this.#scalar(value)}`}${this.pick('', '', ' # said')}\n`;
    const isEmpty = Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
    if (isEmpty || this.is(0.2)) return ` ${this.flow(value)}${this.pick('', ' # in one line')}\n`;
    const lead = this.pick('', '', ' # below');
    const further = Array.isArray(value) ? indent + this.pick(0, 2) : indent + 2;
    return `${lead}\n${this.block(value, further)}`;
  }

  block(value: Value, indent: number): string {
    const margin = ' '.repeat(indent);
    if (Array.isArray(value))
      return value
        .map((item) => {
          const isMap = typeof item === 'object' && item !== null && !Array.isArray(item) && !this.is(0.2);
          if (!isMap) return `${this.#comment(indent)}${margin}- ${this.flow(item)}\n`;
          return `${this.#comment(indent)}${margin}- ${this.block(item, indent + 2).trimStart()}`;
        })
        .join('');
    return Object.entries(value as { readonly [name: string]: Value })
      .map(([name, each]) => {
        if (typeof each === 'string' && this.is(0.1))
          return `${margin}${name}: |\n${margin}  ${each}\n${this.pick('', `\n`, `${margin}  more\n`)}`;
        return `${this.#comment(indent)}${margin}${name}:${this.#after(each, indent)}`;
      })
      .join('');
  }
}

/** A template of pods with parts that may be missing, empty, blank or there. */
const someTemplate = (scribe: Scribe): { readonly [name: string]: Value } => {
  const some = (full: Value, ...empty: readonly Value[]): Value | undefined =>
    scribe.pick<Value | undefined>(undefined, full, full, ...empty);
  const given = (parts: Readonly<Record<string, Value | undefined>>) =>
    Object.fromEntries(
      Object.entries(parts)
        .filter((part): part is [string, Value] => part[1] !== undefined)
        .sort(() => (scribe.is(0.5) ? 1 : -1)),
    );
  const container = (name: string): Value =>
    given({ name, image: 'an/image', ports: some([{ containerPort: 8080, name: 'http' }], []) });
  const metadata = given({
    name: 'web',
    labels: some({ app: 'web', tier: 'front' }, {}, null),
    annotations: some({ note: 'kept' }, {}, null),
  });
  return given({
    metadata: scribe.is(0.15) ? undefined : metadata,
    spec: given({
      containers: scribe.is(0.5) ? [container('app')] : [container('app'), container('helper')],
      initContainers: some([container('wait')], []),
      volumes: some([{ name: 'data', emptyDir: {} }], []),
      restartPolicy: some('Always'),
    }),
  });
};

const has = (value: unknown, ...keys: readonly string[]): boolean =>
  keys.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
    value,
  ) instanceof Object;

/** What injection adds, in small. */
const patchFor = (
  template: unknown,
  scribe: Scribe,
): { readonly patch: readonly Addition[]; readonly places: readonly Place[] } => {
  const patch: Addition[] = [];
  const places: Place[] = [];
  if (!has(template, 'metadata')) patch.push(addition('/metadata', {}));
  for (const part of ['annotations', 'labels']) {
    const names = scribe.pick(['linkerd.io/a'], ['linkerd.io/a', 'linkerd.io/b']);
    if (!has(template, 'metadata', part)) patch.push(addition(`/metadata/${part}`, {}));
    for (const name of names) {
      patch.push(addition(`/metadata/${part}/${name.replace('/', '~1')}`, 'yes: "quoted"'));
      places.push(['metadata', part, name]);
    }
  }
  const ours = [
    { name: 'ours-1', env: [{ name: 'PEM', value: 'a\nb\n' }], args: ['--x', '1'] },
    { name: 'ours-2' },
  ];
  if (has(template, 'spec', 'initContainers'))
    patch.push(...ours.map((one, at) => addition(`/spec/initContainers/${at}`, one)));
  else patch.push(addition('/spec/initContainers', ours));
  if (has(template, 'spec', 'volumes')) patch.push(...ours.map((one) => addition('/spec/volumes/-', one)));
  else patch.push(addition('/spec/volumes', ours));
  if (scribe.is(0.3)) patch.push(addition('/spec/containers/-', ours[0]));
  return { patch, places };
};

const placesOf = (value: unknown): readonly Place[] =>
  ['initContainers', 'volumes', 'containers'].flatMap((list) => {
    const items = (value as { readonly spec: Readonly<Record<string, readonly { readonly name: string }[]>> })
      .spec[list];
    return (items ?? []).flatMap(({ name }, at) =>
      name.startsWith('ours') ? [['spec', list, `${at}`]] : [],
    );
  });

test('a text to which a patch was added says what the patched object says, and gives the old text back', () => {
  for (let seed = 1; seed <= 600; seed += 1) {
    const scribe = new Scribe(randomFrom(seed));
    const template = someTemplate(scribe);
    const printed = scribe.is(0.1)
      ? JSON.stringify(template, null, scribe.pick(0, 2))
      : scribe.is(0.1)
        ? `${scribe.flow(template)}\n`
        : scribe.block(template, 0);
    const text = scribe.is(0.1) ? printed.replace(/\n$/, '') : printed;
    const old = readValue(text) as Readonly<Record<string, unknown>>;
    const { patch, places } = patchFor(old, scribe);
    const added = addToYaml(text, patch);
    const value = readValue(added);
    assert.deepEqual(value, jsonPatch(old, patch), `seed ${seed}\n${text}\n=>\n${added}`);
    const back = removeFromYaml(added, [...places, ...placesOf(value)]);
    assert.equal(back, text, `seed ${seed}\n${added}`);
  }
});

test('an alias in the place of what is added to is refused by its name', () => {
  const text = 'base: &base {labels: {app: web}}\nmetadata: *base\n';
  assert.throws(() => addToYaml(text, [addition('/metadata/labels/a', 'b')]), /\*base stands for/);
});

test('line ends of Windows stay, and what is added has them, too', () => {
  const text = 'metadata:\r\n  name: web\r\n';
  const added = addToYaml(text, [addition('/metadata/labels', { a: 'b' })]);
  assert.equal(added, 'metadata:\r\n  name: web\r\n  labels:\r\n    a: b\r\n');
  assert.equal(removeFromYaml(added, [['metadata', 'labels', 'a']]), text);
});
