/** What the story shows: the same lines on a terminal (with colours) and in a file (without). 80 columns are enough. */
export interface Screen {
  title(text: string, subtitle: string): void;
  step(number: number, text: string): void;
  /** Something the story did: wrote a manifest, killed a process. */
  did(text: string): void;
  /** A few lines of a manifest, indented and dim. */
  manifest(lines: readonly string[]): void;
  /** Something that happened because of it: a certificate obtained, a row sent to a proxy. */
  saw(who: string, what: string): void;
  /** One call and its verdict; `expected` tells whether the verdict is the one the story promises. */
  call(call: {
    readonly what: string;
    readonly verdict: string;
    readonly allowed: boolean;
    readonly expected: boolean;
  }): void;
  note(text: string): void;
  /** What all calls came to: the last word of the story. */
  verdict(text: string): void;
  line(text?: string): void;
}

/** Where it is shown: a terminal, or plain text. */
export interface Paper {
  out(text: string): void;
  paint(style: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', text: string): string;
}

const width = 78;

/** Breaks at spaces so that no line is longer than `columns`; a longer word stands alone. */
export const wrap = (text: string, columns: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
};

export const openScreen = ({ paint, out }: Paper): Screen => {
  const indented = (mark: string, text: string, style?: 'dim'): void => {
    for (const [index, line] of wrap(text, width - 6).entries()) {
      out(`  ${index === 0 ? mark : ' '} ${style === undefined ? line : paint(style, line)}`);
    }
  };
  return {
    title: (text, subtitle) => {
      out('');
      out(paint('bold', text));
      for (const line of wrap(subtitle, width)) out(paint('dim', line));
    },
    step: (number, text) => {
      out('');
      const [first = '', ...rest] = wrap(text, width - 3);
      out(`${paint('cyan', `${number}`)}  ${paint('bold', first)}`);
      for (const line of rest) out(`   ${paint('bold', line)}`);
    },
    did: (text) => indented(paint('yellow', '+'), text),
    manifest: (lines) => {
      for (const line of lines) out(`   ${paint('dim', line)}`);
    },
    saw: (who, what) => indented(paint('cyan', '<'), `${who}: ${what}`),
    call: ({ what, verdict, allowed, expected }) => {
      const mark = expected ? paint('green', 'ok') : paint('red', '!!');
      const shown = paint(allowed ? 'green' : 'red', verdict);
      const gap = ' '.repeat(Math.max(2, width - 5 - what.length - verdict.length));
      out(`  ${mark} ${what}${gap}${shown}`);
    },
    note: (text) => indented(' ', text, 'dim'),
    verdict: (text) => out(paint('green', text)),
    line: (text = '') => out(text),
  };
};
