import { type FindingReason, findingReasons } from '../inbound/model.ts';

/** What only the judgement of a whole object finds; what one port shows is in model.ts. */
const objectReasons = [
  'NoSuchNamespace',
  'NoPodMatches',
  'NoSuchPort',
  'NoSuchServiceAccount',
  'TargetUnmeshed',
  'TargetOfOtherMesh',
  'HostNetwork',
  'PortSkipped',
  'SourceUnmeshed',
  'SourceWithoutAddress',
  'NoSuchTarget',
  'TargetWithoutEffect',
  'NotReferenced',
  'Redundant',
] as const;

/** Why an object does not do, or not everywhere, what its author may expect: one closed list for REST, log, metrics and statuses. */
export const policyReasons = [...findingReasons, ...objectReasons] as const;
export type PolicyReason = FindingReason | (typeof objectReasons)[number];

/**
 * What every object of its kind shows for a moment: `kubectl apply` writes an authentication before, or after, the policy that
 * refers to it. It is told to those who ask, and to nobody else.
 */
export const passingReasons: ReadonlySet<PolicyReason> = new Set(['NotReferenced']);

interface ReasonText {
  /** What is so, as a sentence of docs/reference/findings.md. */
  readonly meaning: string;
  /** What to do about it, as a sentence. */
  readonly fix: string;
}

/** The compiler asks for a text for every new reason. */
export const reasonTexts: Readonly<Record<PolicyReason, ReasonText>> = {
  NoSuchNamespace: {
    meaning: 'A namespace that it names, or every namespace that its selector could mean, does not exist.',
    fix: "Check the namespace's name and labels.",
  },
  NoPodMatches: {
    meaning: 'A selector selects no pod that runs.',
    fix: "Compare the selector with the pods' labels: `kubectl get pods --show-labels`.",
  },
  NoSuchPort: {
    meaning: 'No container of a selected pod declares the port, by this number or name.',
    fix: 'Name a port that the containers declare, or declare this one if something listens there.',
  },
  NoSuchServiceAccount: {
    meaning: 'A ServiceAccount that it names does not exist, so nobody can have that identity.',
    fix: "Check the ServiceAccount's name and namespace.",
  },
  TargetUnmeshed: {
    meaning: 'A pod that it selects has no proxy, so its ports are open.',
    fix: 'Annotate the namespace or the pod template with `linkerd.io/inject: enabled`, and restart the pods.',
  },
  TargetOfOtherMesh: {
    meaning: 'The proxy of a pod that it selects belongs to another control plane, which decides instead.',
    fix: 'Have the pod injected by this mesh, or write the policy for the other one.',
  },
  HostNetwork: {
    meaning:
      "A selected pod is on its host's network: no proxy stands before it, and as a client it has no address of its own.",
    fix: 'Take `hostNetwork` from the pod. As a client it can be admitted by `serviceAccounts` if it is meshed.',
  },
  PortSkipped: {
    meaning: "The port is in the pod's skip-inbound-ports, so connections to it pass the proxy by.",
    fix: 'Take the port out of the annotation `config.linkerd.io/skip-inbound-ports`.',
  },
  SourceUnmeshed: {
    meaning: 'A pod that a source selects has no proxy, so no identity, and is not admitted.',
    fix: 'Inject a proxy into the client, or admit it by `networks`.',
  },
  SourceWithoutAddress: {
    meaning:
      'A source selects pods that have proxies, but admits none of them: they have no address yet, or other fields of the source exclude them.',
    fix: 'Wait until the pods have addresses; else compare `serviceAccounts`, `identities` and `networks` of the source with them.',
  },
  NoSuchTarget: {
    meaning: 'The Server or route that it is for does not exist, or the route is not attached to a Server.',
    fix: 'Check the name of the target; it must be in the same namespace.',
  },
  TargetWithoutEffect: {
    meaning: 'The Servers that it is for have no effect themselves, or not on all of their pods.',
    fix: 'See what is found for these Servers.',
  },
  NotReferenced: {
    meaning: 'No AuthorizationPolicy refers to the authentication, so it admits nobody.',
    fix: 'Name it in `requiredAuthenticationRefs` of an AuthorizationPolicy, or delete it.',
  },
  Redundant: {
    meaning: 'Another policy grants all that it grants, on all of its pods and ports.',
    fix: 'Delete one of the two.',
  },
  Unenforced: {
    meaning: 'A port that it selects does not pass through a proxy.',
    fix: "Take the port out of skip-inbound-ports, and the pod off its host's network.",
  },
  OpenedByServer: {
    meaning: 'A Server governs the port, and its accessPolicy admits more than the policy does.',
    fix: 'Set `accessPolicy: deny` on the Server.',
  },
  RoutesAttached: {
    meaning: 'Routes are attached to the Server of the port, so `rules` grant nothing there.',
    fix: 'Grant requests by AuthorizationPolicies for the routes instead.',
  },
  RulesNeedHTTP: {
    meaning: 'The port is opaque or TLS, so `rules` grant nothing there.',
    fix: 'Leave `rules` out, or take the port out of the opaque ports.',
  },
  RouteNeedsProtocol: {
    meaning: 'The route is of another protocol than the port, so it routes and grants nothing there.',
    fix: "Set the Server's `proxyProtocol` to one that speaks the route's protocol.",
  },
  RuleNeverMatches: {
    meaning: 'A gRPC Server cannot express this path or method of a rule.',
    fix: 'Name `/package.Service/Method` or a prefix of it, and the method POST or none.',
  },
  TooManyMatches: {
    meaning: 'The port has no room for its rules or matches beside those of older objects.',
    fix: 'Join rules, or raise the budget of rows (docs/reference/settings.md).',
  },
  TooManySteps: {
    meaning: 'To compile it would cost more than a row may take, so it grants nothing there.',
    fix: 'Select fewer clients, or raise `GATEHOUSE_MAX_COMPILE_STEPS`.',
  },
  Overlapped: {
    meaning: 'An older Server governs the port, so this one has no effect there.',
    fix: 'Let one Server select the port.',
  },
  Rejected: {
    meaning: 'It could not be read: it grants nothing, and what it still names is closed.',
    fix: 'Correct the field that the message names.',
  },
  TargetRejected: {
    meaning: 'The Server or route that it is for could not be read, so it grants nothing there.',
    fix: 'Correct the Server or route.',
  },
  InDoubt: {
    meaning:
      'Something could not be read that may have kept others from what it grants, so it grants nothing there.',
    fix: 'Correct the object that the message names.',
  },
  MissingAuthentication: {
    meaning:
      'An authentication to which it refers does not exist or could not be read, so it grants nothing.',
    fix: 'Create the authentication, or correct its name, kind and namespace.',
  },
  NoNetworks: {
    meaning: 'A ServerAuthorization without networks means those of the cluster, and none are configured.',
    fix: 'Write `client.networks`, or set `GATEHOUSE_CLUSTER_NETWORKS`.',
  },
  UnreadableDefault: {
    meaning: 'The annotation for the default policy could not be read; deny is in force.',
    fix: 'Write one of the default policies (docs/policy.md).',
  },
  UnreadablePorts: {
    meaning: 'An item of a list of ports could not be read, so the port that was meant is not on the list.',
    fix: 'Write ports and ranges as numbers.',
  },
  LimitNeedsHTTP: {
    meaning: 'The port is gRPC, opaque or TLS, where proxies limit nothing.',
    fix: "Set the Server's `proxyProtocol` to HTTP/1, HTTP/2 or unknown.",
  },
  LimitOverlapped: {
    meaning: 'An older HTTPLocalRateLimitPolicy limits the Server.',
    fix: 'Delete one of the two.',
  },
  AddressShared: {
    meaning: 'A pod that a source selects is not admitted by an address that other pods have too.',
    fix: 'Find out which of the pods runs at the address, and delete the others.',
  },
  ProbeNotOpened: {
    meaning: 'A kubelet probe is not kept open on the port.',
    fix: 'Probe over HTTP, or by exec; or admit the node by `networks`.',
  },
  HookNotOpened: {
    meaning: 'A lifecycle hook that kubelet calls is not kept open on the port.',
    fix: 'Use a hook by exec; or admit the node by `networks`.',
  },
};
