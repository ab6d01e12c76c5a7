import { Turns } from '../turns.ts';
import { type Authorizing, authorizingObject, type KnownPolicies } from './rest-authorizations.ts';
import type { AuthorizingObject } from './rest-authorizing-object.ts';

/** A page of objects as people and programs read them, in slices: some may have to be judged first. */
export const authorizingItems = async (
  objects: readonly Authorizing[],
  known: KnownPolicies,
  signal?: AbortSignal,
): Promise<AuthorizingObject[]> => {
  const turns = new Turns(signal);
  const items: AuthorizingObject[] = [];
  for (const object of objects) {
    items.push(authorizingObject(object, known));
    await turns.next();
  }
  return items;
};
