import type { Described } from '../differences.ts';
import type { Answer, Question, Told } from './answer.ts';
import { hostPortTarget, podAt, serviceAt } from './questions.ts';
import type { ClusterPlan } from './random-cluster.ts';

/** Something that destination does in another way than Linkerd's, and means to. */
export interface DestinationDifference extends Described {
  /** What ours says where Linkerd's says `theirs`; the same where it makes no difference. */
  readonly ours: (theirs: Answer, question: Question, plan: ClusterPlan) => Answer;
  /** What Linkerd's has to be asked to say the same. */
  readonly asked?: (question: Question, plan: ClusterPlan) => Question;
}

const endpointSet = 'services/destination/src/core/endpoints/endpoint-set.test.ts';
const profiles = 'services/destination/src/core/profile/profile.test.ts';

/** Of a profile that says nothing but whether an address is opaque. */
const silent = (opaque: boolean): Answer => ({
  kind: 'profile',
  name: '',
  opaque,
  endpoint: undefined,
  routing: noRouting,
});
const noRouting = '[["",""],{"routes":[],"dstOverrides":[]}]';

const withEndpoints = (theirs: Answer, map: (told: Told, address: string) => Told | undefined): Answer => {
  switch (theirs.kind) {
    case 'refused':
      return theirs;
    case 'endpoints':
      return {
        kind: 'endpoints',
        endpoints: Object.fromEntries(
          Object.entries(theirs.endpoints).flatMap(([address, told]) => {
            const mapped = map(told, address);
            return mapped === undefined ? [] : [[address, mapped]];
          }),
        ),
      };
    case 'profile': {
      const { endpoint } = theirs;
      const mapped = endpoint === undefined ? undefined : map(endpoint, endpoint.address);
      return mapped === undefined || endpoint === undefined
        ? theirs
        : { ...theirs, endpoint: { ...mapped, address: endpoint.address } };
    }
  }
};

const labelZone: DestinationDifference = {
  name: 'The metric label `zone` of an endpoint',
  reason: 'is left out where nobody knows the zone, and is there in profiles too; Linkerd has it empty',
  shownBy: {
    file: endpointSet,
    title: 'a meshed pod is shown with its identity, its hints and where it comes from',
  },
  ours: (theirs, { method }, plan) =>
    withEndpoints(theirs, (told, address) => {
      const { zone, ...labels } = told.labels;
      const known = method === 'GetProfile' ? podAt(plan, address)?.zone : zone;
      return {
        ...told,
        labels: { ...labels, ...(known === undefined || known === '' ? {} : { zone: known }) },
      };
    }),
};

const labelLocality: DestinationDifference = {
  name: 'The metric label `zone_locality` in profiles',
  reason: 'is there as in balancers; in Linkerd the endpoint of a profile has none',
  shownBy: {
    file: 'services/destination/src/ports/serve-profiles.test.ts',
    title: 'an endpoint profile says how the pod lies to its client',
  },
  ours: (theirs, { method, contextToken }, plan) =>
    method === 'Get'
      ? theirs
      : withEndpoints(theirs, (told, address) => {
          const own = podAt(plan, address)?.zone;
          const node = /node-[12]/.exec(contextToken)?.[0];
          const client = node === 'node-1' ? 'x' : node === 'node-2' ? 'y' : undefined;
          const locality =
            own === undefined || client === undefined ? 'unknown' : own === client ? 'local' : 'remote';
          return { ...told, labels: { ...told.labels, zone_locality: locality } };
        }),
};

const unknownAddress: DestinationDifference = {
  name: 'The profile of an address that nobody here has',
  reason:
    'has no endpoint, and traffic goes where the application sent it; in Linkerd it has the bare address',
  shownBy: { file: profiles, title: 'an address that nobody has' },
  ours: (theirs, { path }) =>
    theirs.kind === 'profile' &&
    theirs.endpoint !== undefined &&
    theirs.endpoint.address === path &&
    theirs.endpoint.labels.namespace === undefined
      ? silent(theirs.opaque)
      : theirs,
};

const undeclaredPort: DestinationDifference = {
  name: 'The profile of a port that a Service does not declare',
  reason:
    'is empty, so that proxies go by their policy; Linkerd names the Service, which has no endpoints there',
  shownBy: { file: profiles, title: 'a port that the Service does not declare' },
  ours: (theirs, { path }, plan) =>
    theirs.kind === 'profile' && path.endsWith(':81') && serviceAt(plan, path) !== undefined
      ? silent(false)
      : theirs,
};

const missingService: DestinationDifference = {
  name: 'A Service that does not exist',
  reason:
    'is watched: Get says that it has no endpoints, GetProfile nothing, until it is there; Linkerd refuses the one and makes up a profile for the other',
  shownBy: {
    file: 'services/destination/src/ports/serve-profiles.test.ts',
    title: 'the profile of a Service that does not exist says nothing, until it is made',
  },
  ours: (theirs, { method, path }, plan) => {
    if (!path.includes('.svc.') || serviceAt(plan, path) !== undefined) return theirs;
    if (method === 'Get') return { kind: 'endpoints', endpoints: {} };
    return silent(false);
  },
};

const otherMesh: DestinationDifference = {
  name: 'A pod of another control plane',
  reason: 'is unmeshed: it is spoken to without hints; Linkerd upgrades HTTP to it, without an identity',
  shownBy: { file: endpointSet, title: "another control plane's pod" },
  ours: (theirs, _question, plan) =>
    withEndpoints(theirs, (told, address) =>
      podAt(plan, address)?.mesh === 'linkerd' ? { ...told, identity: '', hint: '' } : told,
    ),
};

const otherFamily: DestinationDifference = {
  name: 'The profile of an address on which the proxy of the pod does not listen',
  reason: 'has the address on which it does; in Linkerd the one that was asked for',
  shownBy: { file: profiles, title: 'a pod whose proxy does not listen on the address' },
  ours: (theirs, _question, plan) => {
    if (theirs.kind !== 'profile' || theirs.endpoint === undefined) return theirs;
    const { address, hint } = theirs.endpoint;
    const pod = podAt(plan, address);
    return address.startsWith('[') && pod !== undefined && hint !== ''
      ? {
          ...theirs,
          endpoint: {
            ...theirs.endpoint,
            address: `${pod.v4}:${address.slice(address.lastIndexOf(':') + 1)}`,
          },
        }
      : theirs;
  },
};

const hostPort: DestinationDifference = {
  name: 'The profile of a port of a node that leads to a pod',
  reason:
    'is that of the pod by its own address and port, where its proxy is; in Linkerd it has the address of the node',
  shownBy: { file: profiles, title: "a host's address and a pod's hostPort" },
  asked: (question, plan) => {
    const path = hostPortTarget(plan, question.path);
    return path === undefined ? question : { ...question, path };
  },
  ours: (theirs) => theirs,
};

/** In the order in which they are applied to what Linkerd says. */
export const destinationDifferences: readonly DestinationDifference[] = [
  hostPort,
  missingService,
  undeclaredPort,
  unknownAddress,
  otherMesh,
  labelZone,
  labelLocality,
  otherFamily,
];

/** What Linkerd's has to be asked where ours is asked `question`. */
export const askedOf = (question: Question, plan: ClusterPlan): Question =>
  destinationDifferences.reduce((each, { asked }) => asked?.(each, plan) ?? each, question);

/** What ours says where Linkerd's says `theirs`, all differences considered. */
export const expectedOf = (theirs: Answer, asked: Question, plan: ClusterPlan): Answer =>
  destinationDifferences.reduce((said, { ours }) => ours(said, asked, plan), theirs);
