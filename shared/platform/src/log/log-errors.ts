import { GatehouseError } from '@gatehouse/core/error';
import { stdSerializers } from 'pino';

/**
 * How the field `err` is written. A GatehouseError is a sentence about something foreseen: where in our code it was
 * thrown says nothing more. Only `internal` and what is not ours at all is a fault to be found by its stack.
 */
export const describeError = (thrown: unknown): unknown => {
  if (!(thrown instanceof GatehouseError)) {
    return thrown instanceof Error ? stdSerializers.err(thrown) : thrown;
  }
  if (thrown.code === 'internal') return stdSerializers.err(thrown);
  const { code, details } = thrown;
  return { code, message: withCauses(thrown), ...(Object.keys(details).length === 0 ? {} : { details }) };
};

/** Messages often quote their cause already; what they do not say yet is added. */
const withCauses = (error: Error): string => {
  let said = error.message;
  let { cause } = error;
  for (let depth = 0; depth < longestChain && cause instanceof Error; depth += 1) {
    if (!said.includes(cause.message)) said += `: ${cause.message}`;
    ({ cause } = cause);
  }
  return said;
};

/** A cause may lead back to itself. */
const longestChain = 8;
