import type { HeaderValue, HttpFilter } from '@gatehouse/core/inbound/inbound-server';
import type { Problem } from '@gatehouse/core/problem';
import { describe, type Fields } from './fields.ts';
import { asHeaderName, readHeaderName, readHeaderText } from './http-token.ts';
import { isHostName } from './route-parents.ts';

type Redirect = Extract<HttpFilter, { kind: 'redirect' }>;

const readHeaderValue = (item: Fields): HeaderValue | undefined => {
  const name = item.need('name', 'name a header') ? readHeaderName(item, 'name') : undefined;
  const value = item.need('value', 'the value to write') ? readHeaderText(item, 'value') : undefined;
  item.close();
  return name === undefined || value === undefined ? undefined : { name, value };
};

const readHeaderModifier = (modifier: Fields): HttpFilter => {
  const add = modifier.eachFields('add', readHeaderValue) ?? [];
  const set = modifier.eachFields('set', readHeaderValue) ?? [];
  const remove = modifier.each('remove', (value, item) => asHeaderName(modifier, item, value)) ?? [];
  modifier.close();
  return { kind: 'request-headers', add, set, remove };
};

const readRedirectPath = (path: Fields): Redirect['path'] => {
  const type = path.need('type', 'ReplaceFullPath or ReplacePrefixMatch')
    ? path.oneOf('type', ['ReplaceFullPath', 'ReplacePrefixMatch'])
    : undefined;
  const field = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const value = path.need(field, 'the path to redirect to') ? path.text(field) : undefined;
  path.close();
  if (type === undefined || value === undefined) return undefined;
  return value.startsWith('/')
    ? { kind: type === 'ReplaceFullPath' ? 'full' : 'prefix', value }
    : path.refuse(field, `${describe(value)} is not absolute`, 'begin with `/`');
};

/** A proxy that is sent a host which cannot stand in a URL refuses the whole port. */
const readRedirectHost = (redirect: Fields): string | undefined => {
  const host = redirect.text('hostname');
  return host === undefined || isHostName(host)
    ? host
    : redirect.refuse('hostname', `${describe(host)} is not a host name`, 'a lower-case DNS name');
};

const readRedirect = (redirect: Fields): Redirect => {
  const scheme = redirect.oneOf('scheme', ['http', 'https']);
  const host = redirect.has('hostname') ? readRedirectHost(redirect) : undefined;
  const port = redirect.port('port');
  const status = redirect.whole('statusCode', 300, 399);
  const pathFields = redirect.fields('path');
  const path = pathFields === undefined ? undefined : readRedirectPath(pathFields);
  redirect.close();
  return {
    kind: 'redirect',
    ...(scheme === undefined ? {} : { scheme }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(status === undefined ? {} : { status }),
    ...(path === undefined ? {} : { path }),
  };
};

/**
 * The filters that the proxy applies to inbound requests. ResponseHeaderModifier changes no verdict and is left out with
 * a warning, as Linkerd does; one that could send the request elsewhere makes the route unusable (semantics §2.7).
 */
export const readFilter = (filter: Fields, warn: (warning: Problem) => void): HttpFilter | undefined => {
  const type = filter.need('type', 'RequestHeaderModifier or RequestRedirect')
    ? filter.text('type')
    : undefined;
  switch (type) {
    case undefined:
      for (const known of ['requestHeaderModifier', 'requestRedirect']) filter.has(known);
      filter.close();
      return undefined;
    case 'RequestHeaderModifier': {
      const modifier = filter.need('requestHeaderModifier', 'say what to change')
        ? filter.fields('requestHeaderModifier')
        : undefined;
      filter.close();
      return modifier === undefined ? undefined : readHeaderModifier(modifier);
    }
    case 'RequestRedirect': {
      const redirect = filter.need('requestRedirect', 'say where to')
        ? filter.fields('requestRedirect')
        : undefined;
      filter.close();
      return redirect === undefined ? undefined : readRedirect(redirect);
    }
    case 'ResponseHeaderModifier':
      warn({
        field: filter.path,
        found: 'ResponseHeaderModifier is left out',
        fix: 'the proxy changes no response headers of inbound requests',
      });
      return undefined;
    default:
      return filter.refuse(
        'type',
        `${describe(type)} cannot be honoured by the proxy`,
        'use RequestHeaderModifier or RequestRedirect',
      );
  }
};
