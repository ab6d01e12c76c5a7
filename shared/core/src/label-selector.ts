/** Labels or annotations of an object. */
export type Labels = Readonly<Record<string, string>>;

/**
 * A Kubernetes LabelSelector: every `matchLabels` pair and every expression must hold.
 * The empty selector matches every object. That of an object is read by kube/parse/label-selector.ts, that of a query or a
 * command line by parse-label-selector.ts.
 */
export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly LabelExpression[];
}

export type LabelExpression =
  | { readonly key: string; readonly operator: 'In' | 'NotIn'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'Exists' | 'DoesNotExist' };

export const everything: LabelSelector = Object.freeze({ matchLabels: {}, matchExpressions: [] });

const own = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

const holds = (expression: LabelExpression, labels: Labels): boolean => {
  const value = own(labels, expression.key);
  switch (expression.operator) {
    case 'In':
      return value !== undefined && expression.values.includes(value);
    case 'NotIn':
      // An absent label satisfies NotIn: Kubernetes API conventions, "set-based requirement".
      return value === undefined || !expression.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
};

export const selects = (selector: LabelSelector, labels: Labels): boolean =>
  Object.entries(selector.matchLabels).every(([key, value]) => own(labels, key) === value) &&
  selector.matchExpressions.every((expression) => holds(expression, labels));

const labelKey =
  /^(?:(?=.{1,253}\/)[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

/** Whether a label may have this name: 63 characters, and before a slash a DNS name of at most 253. */
export const isLabelName = (text: string): boolean => labelKey.test(text);

export const isLabelValue = (text: string): boolean => labelValue.test(text);
