import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { type Draft, draftAll, type Remark } from '@gatehouse/platform/kube/directory/draft';
import { rejectCopies } from '@gatehouse/platform/kube/directory/merge-copies';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import fc from 'fast-check';
import type { Situation } from './decide/situation.ts';
import { type PrintableKind, printableKinds, printObject } from './print-object.ts';

type Victim = KubeObject<PrintableKind>;

/** How an author breaks an object, and which of a situation's. */
export interface Breakage {
  readonly victim: number;
  readonly how:
    | { readonly kind: 'slip'; readonly slip: Slip }
    /** The same object is in two manifests, of which the other says what another object of its kind says. */
    | { readonly kind: 'copies'; readonly other: number }
    /** Its age, by which it comes before or after others, is not a valid time. */
    | { readonly kind: 'age' }
    /** Its manifest ends in the middle of something. */
    | { readonly kind: 'half a file' };
}

/** A change of one place: numbers lead down into the written object, each modulo what there is. */
interface Slip {
  readonly way: readonly number[];
  readonly change: Change;
}

type Change =
  | { readonly kind: 'put'; readonly value: unknown }
  /** A field's name with a letter too many. */
  | { readonly kind: 'misspell' }
  /** A field that nobody knows. */
  | { readonly kind: 'add' };

const junk = fc.constantFrom<unknown>(null, true, 7, -1, '', 'x', 'A b', '(', '/(?=x)', [], {}, [null], {
  x: 1,
});

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), value: junk }),
  fc.constant<Change>({ kind: 'misspell' }),
  fc.constant<Change>({ kind: 'add' }),
);

export const breakage: fc.Arbitrary<Breakage> = fc.record({
  victim: fc.nat({ max: 1_000 }),
  how: fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('slip' as const),
        slip: fc.record({ way: fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 8 }), change }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('copies' as const), other: fc.nat({ max: 100 }) }),
    },
    { weight: 3, arbitrary: fc.constantFrom({ kind: 'half a file' } as const, { kind: 'age' } as const) },
  ),
});

/** A situation while all that is in it could be read, and the same with one object that cannot be. */
export interface Broken {
  readonly before: Situation;
  readonly victim: Victim;
  /** What stands in the victim's place; undefined = nothing, but a manifest that was never read. */
  readonly unreadable: KubeObject | undefined;
  /** The situation with another object, or none, in the victim's place. */
  readonly with: (object: KubeObject | undefined) => Situation;
}

/** Undefined where there is nothing to break, or what was written is another object that can be read. */
export const breakSituation = (
  situation: Situation,
  { victim: number, how }: Breakage,
  kinds: readonly PrintableKind[] = printableKinds,
): Broken | undefined => {
  const victims = victimsIn(situation);
  // Pods are many, and are not to be most of the victims.
  const present = kinds.filter((kind) => victims.some((each) => each.kind === kind));
  const ofKind = victims.filter(({ kind }) => kind === present[number % present.length]);
  const victim = ofKind[Math.floor(number / present.length) % ofKind.length];
  const written = victim && printObject(victim);
  const whole = written && draftOf(written);
  if (victim === undefined || written === undefined || whole === undefined) return undefined;
  if (isRejected(whole.object.spec)) return undefined;
  const broken = breakObject({ written, whole, others: ofKind }, how);
  if (broken === 'readable') return undefined;
  return {
    before: replace(situation, victim, whole.object),
    victim,
    unreadable: broken === 'unplaced' ? undefined : broken,
    with: (object) => replace(situation, victim, object),
  };
};

interface Written {
  readonly written: WireObject;
  readonly whole: ObjectDraft;
  readonly others: readonly Victim[];
}

const breakObject = (
  { written, whole, others }: Written,
  how: Breakage['how'],
): KubeObject | 'unplaced' | 'readable' => {
  switch (how.kind) {
    case 'half a file':
      // Objects of core kinds stay as they were, as do the first of their copies.
      return whole.reject === undefined ? 'readable' : rejectedOf(whole);
    case 'copies': {
      if (whole.reject === undefined) return 'readable';
      const another = others[how.other % others.length];
      // The copy may be older or younger as well.
      const metadata = {
        ...((another && printObject(another)?.metadata) as WireObject),
        name: whole.object.meta.name,
      };
      const copy = draftOf({ ...written, metadata, spec: another && printObject(another)?.spec });
      if (copy === undefined) return 'readable';
      return rejectCopies({ first: rejectedOf(whole), others: [rejectedOf(copy)] }, problem);
    }
    case 'age':
      return readBroken(
        {
          ...written,
          metadata: { ...(written.metadata as WireObject), creationTimestamp: 'yesterday' },
        },
        whole.object,
      );
    case 'slip':
      return readBroken(slip(written, how.slip) as WireObject, whole.object);
  }
};

const readBroken = (written: WireObject, whole: KubeObject): KubeObject | 'unplaced' | 'readable' => {
  const read = draftAll([written]);
  // Without a pod that cannot be placed its address may be another pod's: no policy of anybody says so. No proxy asks for
  // an ExternalWorkload that is not there.
  if (!read.ok) return ['Pod', 'ExternalWorkload'].includes(whole.kind) ? 'readable' : 'unplaced';
  const [draft] = read.value.drafts;
  if (draft?.type !== 'object') return 'readable';
  const { object } = draft;
  return isRejected(object.spec) || isCostly(object, whole, read.value.remarks) ? object : 'readable';
};

/** Whether fields of a core object cannot be read; what is read as a text in spite of its type can. */
const isCostly = (object: KubeObject, whole: KubeObject, remarks: readonly Remark[]): boolean => {
  const { spec } = object as KubeObject<'Pod'>;
  // An address that cannot be read is claimed by nobody else, which no policy says either.
  if (object.kind === 'Pod' && `${spec.ips}` !== `${(whole as KubeObject<'Pod'>).spec.ips}`) return false;
  // That a kind is not acted upon in full is said of whole objects too.
  return remarks.some(
    ({ concern, problem }) => concern !== 'unwatched' && !problem.fix.startsWith('read as'),
  );
};

const problem = { field: '', found: 'broken', fix: 'fix it' };

type ObjectDraft = Extract<Draft, { type: 'object' }>;

const draftOf = (written: WireObject): ObjectDraft | undefined => {
  const read = draftAll([written]);
  const draft = read.ok ? read.value.drafts[0] : undefined;
  return draft?.type === 'object' ? draft : undefined;
};

const rejectedOf = ({ object, reject }: ObjectDraft): KubeObject => {
  if (reject === undefined) throw new TypeError(`${object.kind} cannot be rejected`);
  return reject([problem]);
};

const slip = (value: unknown, { way, change }: Slip): unknown => {
  const [step, ...rest] = way;
  if (Array.isArray(value) && value.length > 0 && step !== undefined) {
    const index = step % value.length;
    return value.with(index, slip(value[index], { way: rest, change }));
  }
  if (!isWireObject(value) || Object.keys(value).length === 0) return changed(value, change);
  if (step === undefined)
    return change.kind === 'misspell' ? changed(value, { kind: 'add' }) : changed(value, change);
  const names = Object.keys(value);
  const name = names[step % names.length] ?? '';
  if (rest.length === 0 && change.kind === 'misspell') {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key === name ? `${key}s` : key, each]),
    );
  }
  return { ...value, [name]: slip(value[name], { way: rest, change }) };
};

const changed = (value: unknown, change: Change): unknown => {
  switch (change.kind) {
    case 'put':
      return change.value;
    case 'add':
      return isWireObject(value) ? { ...value, unknownField: 1 } : 7;
    case 'misspell':
      return typeof value === 'string' ? `${value}s` : 7;
  }
};

const lists = [
  'pods',
  'externalWorkloads',
  'namespaces',
  'networkAuthenticationPolicies',
  'servers',
  'authorizationPolicies',
  'serverAuthorizations',
  'rateLimits',
  'meshTlsAuthentications',
  'networkAuthentications',
  'routes',
] as const satisfies readonly (keyof Situation)[];

const victimsIn = (situation: Situation): readonly Victim[] =>
  lists.flatMap((list): readonly Victim[] => situation[list]).filter(({ spec }) => !isRejected(spec));

/** Undefined takes it away. */
const replace = (situation: Situation, victim: Victim, by: KubeObject | undefined): Situation => ({
  ...situation,
  target: victim === situation.target ? ((by ?? victim) as Situation['target']) : situation.target,
  ...Object.fromEntries(
    lists.map((list) => [
      list,
      (situation[list] as readonly KubeObject[]).flatMap((each) =>
        each !== victim ? [each] : by === undefined ? [] : [by],
      ),
    ]),
  ),
});
