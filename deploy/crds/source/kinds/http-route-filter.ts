import { choice, list, object, type Schema, text, whole } from '../schema.ts';

const headerName = text('Name of the header, in any case.', { minLength: 1, maxLength: 256 });

const header = object(
  'One header.',
  { name: headerName, value: text('Its value.', { maxLength: 4096 }) },
  { required: ['name', 'value'] },
);

const headerModifier = (description: string): Schema =>
  object(description, {
    add: list('Headers that are added to those of the same name.', header, { maxItems: 16 }),
    set: list('Headers that replace those of the same name.', header, { maxItems: 16 }),
    remove: list('Names of headers that are taken away.', headerName, { maxItems: 16 }),
  });

const redirect = object('Answers with a redirect.', {
  scheme: choice('The scheme to redirect to. Default: that of the request.', ['http', 'https']),
  hostname: text('The host to redirect to. Default: that of the request.', {
    minLength: 1,
    maxLength: 253,
  }),
  port: whole('The port to redirect to.', { min: 1, max: 65535 }),
  statusCode: { ...whole('The HTTP status of the answer.', { min: 300, max: 399 }), default: 302 },
  path: object(
    'The path to redirect to. Default: that of the request.',
    {
      type: choice('Whether all of the path is replaced, or what matched of it.', [
        'ReplaceFullPath',
        'ReplacePrefixMatch',
      ]),
      replaceFullPath: text('In place of the whole path.', { maxLength: 1024 }),
      replacePrefixMatch: text('In place of the matched prefix.', { maxLength: 1024 }),
    },
    {
      required: ['type'],
      rules: [
        {
          rule: "self.type == 'ReplaceFullPath' ? has(self.replaceFullPath) && !has(self.replacePrefixMatch) : has(self.replacePrefixMatch) && !has(self.replaceFullPath)",
          message: 'needs the field that type names, and no other',
        },
      ],
    },
  ),
});

/** Those that the proxy can honour on inbound routes, and the one that it passes over there. */
export const filter: Schema = object(
  'One thing that is done to a request.',
  {
    type: choice('What is done.', ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect']),
    requestHeaderModifier: headerModifier('Changes headers of the request.'),
    responseHeaderModifier: headerModifier('Changes headers of the response; on routes of Services only.'),
    requestRedirect: redirect,
  },
  {
    required: ['type'],
    rules: [
      {
        rule: "has(self.requestHeaderModifier) == (self.type == 'RequestHeaderModifier') && has(self.responseHeaderModifier) == (self.type == 'ResponseHeaderModifier') && has(self.requestRedirect) == (self.type == 'RequestRedirect')",
        message: 'needs the field that type names, and no other',
      },
    ],
  },
);
