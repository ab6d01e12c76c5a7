import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

const text = { type: 'string' };

/** A custom kind with one field for every rule of a structural schema that Gatehouse's own CRDs use. */
export const topCrd: WireObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'tops.ex.io' },
  spec: {
    group: 'ex.io',
    scope: 'Namespaced',
    names: { kind: 'Top', listKind: 'TopList', plural: 'tops', singular: 'top', shortNames: ['tt'] },
    conversion: { strategy: 'None' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['port'],
                'x-kubernetes-validations': [
                  { rule: '!has(self.name) || self.name != "aaa"', message: 'not aaa' },
                  { rule: 'self.port == oldSelf.port || self.mode.lowerAscii() != "b"' },
                  { rule: '!has(self.__namespace__) || self.__namespace__.size() > 1', message: 'too short' },
                ],
                properties: {
                  port: { 'x-kubernetes-int-or-string': true },
                  mode: { ...text, enum: ['A', 'B'], default: 'A' },
                  list: {
                    type: 'array',
                    minItems: 1,
                    maxItems: 2,
                    items: { type: 'object', properties: { n: { type: 'integer', minimum: 1, maximum: 9 } } },
                  },
                  namespace: text,
                  name: { ...text, pattern: '^a+$', maxLength: 4, nullable: true },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  map: { type: 'object', additionalProperties: text },
                  one: {
                    type: 'object',
                    properties: { a: text, b: text },
                    oneOf: [{ required: ['a'] }, { required: ['b'] }],
                  },
                },
              },
              status: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
                properties: {
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: { type: 'object', required: ['type'], properties: { type: text, status: text } },
                  },
                },
              },
            },
          },
        },
      },
      {
        name: 'v2',
        served: true,
        storage: false,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};
