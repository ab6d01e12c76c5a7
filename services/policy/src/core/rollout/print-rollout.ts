import { type Judgement, someOf } from '../judgement/judgement.ts';
import type { Rollout } from './judge-rollout.ts';

export interface About {
  readonly isDeleted: boolean;
  /** Undefined for a deleted object. */
  readonly judgement: Judgement | undefined;
}

/** How far it has come, in one or two sentences. */
export const printRollout = (rollout: Rollout, about: About): string => {
  const { state, programmed, watching, absent } = rollout;
  const proxies = `${programmed} of ${watching} prox${watching === 1 ? 'y' : 'ies'}`;
  const inForce = about.isDeleted ? `Its deletion is in force on ${proxies}` : `In force on ${proxies}`;
  switch (state) {
    case 'Programmed':
      return `${inForce}.`;
    case 'InProgress':
      return `${inForce}: ${laggingOf(rollout)}.${unsureOf(rollout)}`;
    case 'Unknown':
      return `${watching === 0 ? 'It is not known on how many proxies it is in force' : inForce}.${unsureOf(rollout)}`;
    case 'NothingToProgram':
      return absent.length > 0
        ? `No proxy watches a port that it is for: ${someOf(namesOf(absent))} ask${absent.length === 1 ? 's' : ''} before the first connection is admitted.`
        : nothing(about);
  }
};

const nothing = ({ isDeleted, judgement }: About): string => {
  if (isDeleted) return 'It was deleted, and there is no proxy on which it was in force.';
  const [first] = judgement?.findings ?? [];
  return `There is no proxy on which it could be in force.${first === undefined ? '' : ` ${first.message}`}`;
};

const laggingOf = ({ laggards }: Rollout): string => {
  const names = [...new Set(laggards.map(({ watch }) => watch.name))];
  return `${someOf(names)} ${names.length === 1 ? 'has' : 'have'} not confirmed it`;
};

const unsureOf = ({ absent }: Rollout): string => {
  const unsure = absent.filter(({ reason }) => reason !== 'Idle');
  if (unsure.length === 0) return '';
  const isUnreached = unsure.some(({ reason }) => reason === 'Unknown');
  const why = isUnreached ? 'a replica could not be asked' : 'no replica has a connection for its port';
  return ` Of ${someOf(namesOf(unsure))} it is not known: ${why}.`;
};

const namesOf = (absent: Rollout['absent']): readonly string[] =>
  absent.map(({ target }) => target.meta.name);
