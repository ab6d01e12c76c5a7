import type { Field } from '@gatehouse/core/injection/proxy-settings';
import { parsed } from '@gatehouse/core/problem';
import { textForm } from '../src/values/value-forms.ts';

const pem = textForm('PEM', (text) => parsed(text));

const field = (sentence: string): Field<string> => ({ form: pem, fallback: '', sentence });

/** `gatehouse install` takes these from files; a chart has nothing but values, called here as in Linkerd's. */
export const chartOnly = {
  anchors: field('The roots that the mesh trusts. Needed unless `identity.externalCA` is set.'),
  certificate: field(
    "The issuer's certificate, with intermediates behind it, for Secret `gatehouse-issuer`.",
  ),
  key: field('Its private key.'),
};
