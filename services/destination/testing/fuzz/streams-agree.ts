import assert from 'node:assert/strict';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { FakeSource } from '@gatehouse/testing/fake-source';
import fc from 'fast-check';
import type { ClusterSettings } from '../../src/core/cluster.ts';
import { type WatchedKind, watchedKinds } from '../../src/core/facts.ts';
import { aDestinationWith, admitted } from '../a-destination.ts';
import { anyObject, askedPaths, randomObjects } from '../random-objects.ts';
import { type Asked, FollowedStream, isSameKnowledge, type Known } from './followed-stream.ts';

/** What happens: to the cluster, or to one of the streams, which are counted from the oldest and around. */
type Step =
  | { readonly kind: 'put' | 'remove'; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'relist'; readonly of: WatchedKind; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'open'; readonly asked: Asked }
  | { readonly kind: 'leave' | 'stall' | 'read'; readonly stream: number };

const asked: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.constantFrom('Get', 'GetProfile'),
    path: fc.constantFrom(...askedPaths),
    contextToken: fc.constantFrom(
      '',
      '{"ns":"client","nodeName":"node-1"}',
      '{"ns":"demo","nodeName":"node-2"}',
      '{"ns":"demo","pod":"a"}',
    ),
  })
  // Get is not asked for addresses.
  .map((said) => (/^[\d[]/.test(said.path) ? { ...said, method: 'GetProfile' } : said));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('put', 'put', 'remove'),
      objects: fc.array(anyObject, { minLength: 1, maxLength: 3 }),
    }),
  },
  ...watchedKinds.map((of) => ({
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('relist' as const),
      of: fc.constant(of),
      objects: fc.array<KubeObject>(randomObjects[of], { maxLength: 3 }),
    }),
  })),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), asked }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('leave', 'stall', 'stall', 'read'), stream: fc.nat(20) }),
  },
);

const settings: fc.Arbitrary<Partial<ClusterSettings>> = fc.record({
  ipv6: fc.boolean(),
  slices: fc.constantFrom('written', 'derived'),
});

export interface StreamsAgree {
  /** What a mutant does to a change on its way to the server under test; the property must then fail. */
  readonly meddle?: (source: FakeSource, step: Step) => Step | undefined;
  /** Told of each step that was compared. */
  readonly onStep?: () => void;
}

/**
 * However objects change and clients come, stall and go: once all is quiet, what each stream was sent adds up to what a server that
 * has just started would tell its client.
 */
export const streamsAgree = ({ meddle = (_source, each) => each, onStep }: StreamsAgree = {}) =>
  fc.asyncProperty(
    settings,
    fc.array(anyObject, { maxLength: 12 }),
    fc.array(asked, { minLength: 1, maxLength: 6 }),
    fc.array(step, { minLength: 1, maxLength: 15 }),
    async (said, given, first, steps) => {
      await using history = new History(said, given);
      for (const each of [...first.map((one): Step => ({ kind: 'open', asked: one })), ...steps]) {
        await history.play(each, (source) => meddle(source, each));
        onStep?.();
      }
      await history.calm();
    },
  );

class History implements AsyncDisposable {
  readonly #settings: Partial<ClusterSettings>;
  readonly #objects = new Map<string, KubeObject>();
  readonly #destination: ReturnType<typeof aDestinationWith>;
  #streams: readonly FollowedStream[] = [];

  constructor(said: Partial<ClusterSettings>, given: readonly KubeObject[]) {
    this.#settings = said;
    for (const object of given) this.#objects.set(keyOf(object), object);
    this.#destination = aDestinationWith(said, ...this.#objects.values());
    this.#destination.start();
  }

  async play(step: Step, meddle: (source: FakeSource) => Step | undefined): Promise<void> {
    this.#remember(step);
    const done = meddle(this.#destination.source);
    if (done !== undefined) await this.#do(done);
    await this.#compare();
  }

  /** Every client reads what is still to come. */
  async calm(): Promise<void> {
    for (const stream of this.#streams) stream.read();
    await this.#compare();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) stream.leave();
    this.#destination.stop();
  }

  #remember(step: Step): void {
    switch (step.kind) {
      case 'put':
        for (const object of step.objects) this.#objects.set(keyOf(object), object);
        return;
      case 'remove':
        for (const object of step.objects) this.#objects.delete(keyOf(object));
        return;
      case 'relist':
        for (const [key, { kind }] of this.#objects) if (kind === step.of) this.#objects.delete(key);
        for (const object of step.objects) this.#objects.set(keyOf(object), object);
        return;
      default:
        return;
    }
  }

  async #do(step: Step): Promise<void> {
    const { source } = this.#destination;
    switch (step.kind) {
      case 'put':
        source.put(...step.objects);
        return;
      case 'remove':
        source.remove(...step.objects);
        return;
      case 'relist':
        source.relist(step.of, ...step.objects);
        return;
      case 'open': {
        const stream = await ask(this.#destination, step.asked);
        if (!stream.isRefused) this.#streams = [...this.#streams, stream];
        return;
      }
      default: {
        const stream = this.#streams[step.stream % Math.max(this.#streams.length, 1)];
        stream?.[step.kind]();
        if (step.kind === 'leave') this.#streams = this.#streams.filter((each) => each !== stream);
      }
    }
  }

  async #compare(): Promise<void> {
    const fresh = aDestinationWith(this.#settings, ...this.#objects.values());
    fresh.start();
    const told = new Map<string, Known | 'refused'>();
    for (const stream of this.#streams) {
      const question = JSON.stringify(stream.asked);
      let expected = told.get(question);
      if (expected === undefined) {
        expected = await firstAnswer(fresh, stream.asked);
        told.set(question, expected);
      }
      stream.take(expected);
      if (!stream.isStalled && !isSameKnowledge(stream.known, expected))
        assert.deepEqual(stream.known, expected, question);
    }
    fresh.stop();
  }
}

const ask = async (
  destination: ReturnType<typeof aDestinationWith>,
  asked: Asked,
): Promise<FollowedStream> => {
  const stream = new FollowedStream(asked, destination.ask(asked.method, asked));
  await admitted(destination.server);
  return stream;
};

const firstAnswer = async (
  destination: ReturnType<typeof aDestinationWith>,
  asked: Asked,
): Promise<Known | 'refused'> => {
  const stream = await ask(destination, asked);
  if (stream.isRefused) return 'refused';
  stream.take('refused');
  stream.leave();
  return stream.known;
};

const keyOf = ({ kind, meta }: KubeObject): string => `${kind}/${meta.namespace}/${meta.name}`;
