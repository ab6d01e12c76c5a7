import { printIp } from '@gatehouse/core/ip-network';
import { printOthers } from '@gatehouse/core/mesh/address-holder';
import type { PodContest } from './model.ts';

/** Why a selected pod is not admitted by one of its addresses, as a sentence for the author of the policy. */
export const printContest = ({ pod, ip, ...claimants }: PodContest): string => {
  const verb = claimants.count > 2 ? 'have' : 'has';
  return `Pod ${pod} is selected, but is not admitted by ${printIp(ip)}: ${printOthers(claimants, pod)} ${verb} that address too, and nothing tells which of the pods was given it last.`;
};
