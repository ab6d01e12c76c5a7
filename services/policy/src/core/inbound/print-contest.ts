import { printIp } from '@gatehouse/core/ip-network';
import type { PodContest } from './model.ts';

const othersNamed = 3;

/** Why a selected pod is not admitted by one of its addresses, as a sentence for the author of the policy. */
export const printContest = ({ pod, ip, claimants, count }: PodContest): string => {
  const others = claimants.filter((claimant) => claimant !== pod).slice(0, othersNamed);
  const more = count - 1 - others.length;
  const names = [...others, ...(more > 0 ? [`${more} more`] : [])];
  const verb = count > 2 ? 'have' : 'has';
  return `Pod ${pod} is selected, but is not admitted by ${printIp(ip)}: ${names.join(', ')} ${verb} that address too, and nothing tells which of the pods was given it last.`;
};
