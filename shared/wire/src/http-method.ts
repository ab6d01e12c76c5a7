import { type HttpMethod, HttpMethod_Registered } from '../gen/io/linkerd/proxy/http_types.ts';

/** A method by its number where it has one, else as it is on the wire, where case counts. */
export const encodeHttpMethod = (method: string): HttpMethod => {
  const registered = Object.entries(HttpMethod_Registered).find(
    ([name, number]) => name === method && number !== HttpMethod_Registered.UNRECOGNIZED,
  );
  return registered === undefined
    ? { type: { $case: 'unregistered', value: method } }
    : { type: { $case: 'registered', value: registered[1] } };
};
