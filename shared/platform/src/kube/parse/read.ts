import { everything } from '@gatehouse/core/label-selector';
import type { Problem } from '@gatehouse/core/problem';
import type { ObjectMeta, Rejected } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { Tally } from './budget.ts';
import { Fields, isWireObject, readWhole, type WireObject } from './fields.ts';
import type { MetaField } from './meta.ts';

/** One wire object at the door: its metadata already read, the rest as it was written. */
export interface Wire {
  readonly body: WireObject;
  readonly meta: ObjectMeta;
  /** Fields of the metadata that are there and cannot be read. */
  readonly unread: readonly MetaField[];
  /** The API version without its group, such as `v1beta3`. */
  readonly version: string;
  readonly budgets: ObjectBudgets;
}

/** A spec, and what it cost: fields that could not be read or that mean nothing here. */
export interface Read<Spec> {
  readonly spec: Spec;
  readonly warnings: readonly Problem[];
}

/** Core kinds: an unreadable field costs that field, and becomes a warning. */
export const readCore = <Spec>(wire: Wire, read: (body: Fields) => Spec): Read<Spec> => {
  const warnings: Problem[] = [];
  return { spec: read(new Fields(wire.body, '', warnings, { tally: new Tally(wire.budgets) })), warnings };
};

/** A rejected object but for its problems. */
export type Closes = Omit<Rejected, 'rejected'>;

/** What an authentication or authorization closes when it is rejected: nothing, it only grants nothing. */
export const closesNothing: Closes = { closes: { selector: everything, ports: [] } };

/**
 * How a policy kind is read: whole, or not at all. A null is refused, as a field with nothing behind it (`matches:`)
 * must not mean "all"; an API server removes nulls before anybody sees them.
 */
export interface PolicyReader<Spec, Closing extends Closes> {
  /** Reads `spec`; any problem noted rejects the object. Warnings do not. */
  read(spec: Fields, wire: Wire, warn: (warning: Problem) => void): Spec | undefined;
  /** What the object closes while it is rejected, from the object alone; never throws, whatever was written. */
  closes(spec: Fields, wire: Wire): Closing;
}

export interface PolicyParser<Spec, Closing extends Closes = Closes> {
  readonly parse: (wire: Wire) => Read<Spec | (Rejected & Closing)>;
  /** Makes the object a rejected one for a reason outside of it, such as a second manifest of the same name. */
  readonly reject: (wire: Wire, problems: readonly Problem[]) => Rejected & Closing;
}

export const policyParser = <Spec, Closing extends Closes = Closes>(
  reader: PolicyReader<Spec, Closing>,
): PolicyParser<Spec, Closing> => {
  const reject = (wire: Wire, problems: readonly Problem[]): Rejected & Closing => {
    // One that is not there may stand under any name, and what it says is as unknown as a field that nobody knows.
    const spec = isWireObject(wire.body.spec) ? wire.body.spec : { unread: wire.body.spec };
    return {
      rejected: problems,
      ...reader.closes(
        new Fields(spec, 'spec', [], { nulls: 'refused', tally: new Tally(wire.budgets) }),
        wire,
      ),
    };
  };
  const parse: PolicyParser<Spec, Closing>['parse'] = (wire) => {
    const warnings: Problem[] = [];
    const whole = readWhole(wire.body.spec, 'spec', {
      nulls: 'refused',
      tally: new Tally(wire.budgets),
      read: (spec) => reader.read(spec, wire, (warning) => warnings.push(warning)),
    });
    return whole.ok ? { spec: whole.value, warnings } : { spec: reject(wire, whole.problems), warnings };
  };
  return { parse, reject };
};
