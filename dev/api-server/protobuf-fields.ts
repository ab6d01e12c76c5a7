/** How a field of a message is read into the JSON form of its object. */
export type Field =
  | { readonly kind: 'text' | 'bytes' | 'number' | 'boolean' | 'time' }
  | { readonly kind: 'message'; readonly of: Message }
  | { readonly kind: 'list'; readonly item: Field }
  /** Keys are texts. */
  | { readonly kind: 'map'; readonly value: Field };

/** Fields by their numbers, with their names in JSON. */
export type Message = Readonly<Record<number, readonly [name: string, field: Field]>>;

const text: Field = { kind: 'text' };
const bytes: Field = { kind: 'bytes' };
const number: Field = { kind: 'number' };
const boolean: Field = { kind: 'boolean' };
const time: Field = { kind: 'time' };
const list = (item: Field): Field => ({ kind: 'list', item });
const map = (value: Field): Field => ({ kind: 'map', value });
const message = (of: Message): Field => ({ kind: 'message', of });

/** The numbers are those of `generated.proto` in k8s.io/apimachinery and k8s.io/api, which never change. */
const ownerReference: Message = {
  1: ['kind', text],
  3: ['name', text],
  4: ['uid', text],
  5: ['apiVersion', text],
  6: ['controller', boolean],
  7: ['blockOwnerDeletion', boolean],
};

const objectMeta: Message = {
  1: ['name', text],
  2: ['generateName', text],
  3: ['namespace', text],
  5: ['uid', text],
  6: ['resourceVersion', text],
  7: ['generation', number],
  8: ['creationTimestamp', time],
  11: ['labels', map(text)],
  12: ['annotations', map(text)],
  13: ['ownerReferences', list(message(ownerReference))],
  14: ['finalizers', list(text)],
};

const metadata = ['metadata', message(objectMeta)] as const;
const named: Message = { 1: ['name', text] };

/** The kinds that kubectl creates by protobuf and of which a control plane has any use here. */
export const messages: Readonly<Record<string, Message>> = {
  'v1/Namespace': { 1: metadata, 2: ['spec', message({ 1: ['finalizers', list(text)] })] },
  'v1/ServiceAccount': {
    1: metadata,
    2: ['secrets', list(message({ 3: ['name', text] }))],
    3: ['imagePullSecrets', list(message(named))],
    4: ['automountServiceAccountToken', boolean],
  },
  'v1/ConfigMap': {
    1: metadata,
    2: ['data', map(text)],
    3: ['binaryData', map(bytes)],
    4: ['immutable', boolean],
  },
  'v1/Secret': {
    1: metadata,
    2: ['data', map(bytes)],
    3: ['type', text],
    4: ['stringData', map(text)],
    5: ['immutable', boolean],
  },
  'authentication.k8s.io/v1/TokenRequest': {
    1: metadata,
    2: [
      'spec',
      message({
        1: ['audiences', list(text)],
        3: [
          'boundObjectRef',
          message({ 1: ['kind', text], 2: ['apiVersion', text], 3: ['name', text], 4: ['uid', text] }),
        ],
        4: ['expirationSeconds', number],
      }),
    ],
  },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    1: metadata,
    2: [
      'spec',
      message({
        1: [
          'resourceAttributes',
          message({
            1: ['namespace', text],
            2: ['verb', text],
            3: ['group', text],
            4: ['version', text],
            5: ['resource', text],
            6: ['subresource', text],
            7: ['name', text],
          }),
        ],
        2: ['nonResourceAttributes', message({ 1: ['path', text], 2: ['verb', text] })],
      }),
    ],
  },
  'rbac.authorization.k8s.io/v1/RoleBinding': binding(),
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': binding(),
  'rbac.authorization.k8s.io/v1/Role': role(),
  'rbac.authorization.k8s.io/v1/ClusterRole': role(),
};

function binding(): Message {
  const subject: Message = {
    1: ['kind', text],
    2: ['apiGroup', text],
    3: ['name', text],
    4: ['namespace', text],
  };
  const reference: Message = { 1: ['apiGroup', text], 2: ['kind', text], 3: ['name', text] };
  return { 1: metadata, 2: ['subjects', list(message(subject))], 3: ['roleRef', message(reference)] };
}

function role(): Message {
  const rule: Message = {
    1: ['verbs', list(text)],
    2: ['apiGroups', list(text)],
    3: ['resources', list(text)],
    4: ['resourceNames', list(text)],
    5: ['nonResourceURLs', list(text)],
  };
  return { 1: metadata, 2: ['rules', list(message(rule))] };
}
