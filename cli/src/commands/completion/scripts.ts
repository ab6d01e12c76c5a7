import type { Shell } from './completion.ts';

/** Each asks the command that is completed itself, so that the words are those of the release that is installed. */
export const scripts: Readonly<Record<Shell, string>> = {
  // Bash 3.2, as macOS has it, too.
  bash: String.raw`# Completion of gatehouse for bash.
_gatehouse() {
  local count=0 index word candidate words
  words=()
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # Bash takes --output=json apart at its equals sign.
    if ((count > 0)) && [[ $word == "=" || \${words[count - 1]} == --*= ]]; then
      words[count - 1]+=$word
    else
      words[count]=$word
      count=$((count + 1))
    fi
  done
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    if [[ $candidate == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${words[count - 1]#--*=}")
    else
      [[ $candidate == --*=* ]] && candidate=\${candidate#*=}
      COMPREPLY+=("$candidate")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _gatehouse gatehouse kubectl-gatehouse`.replaceAll('\\$', '$'),
  zsh: String.raw`#compdef gatehouse kubectl-gatehouse
# Completion of gatehouse for zsh.
_gatehouse() {
  local line tab=$'\t'
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      [[ \${words[CURRENT]} == --*=* ]] && compset -P '*='
      _files
    else
      line=\${line//:/\\:}
      candidates+=("\${line/$tab/:}")
    fi
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  ((\${#candidates})) && _describe gatehouse candidates
}
if [[ $funcstack[1] == _gatehouse ]]; then
  _gatehouse "$@"
else
  compdef _gatehouse gatehouse kubectl-gatehouse
fi`.replaceAll('\\$', '$'),
  fish: `# Completion of gatehouse for fish.
function __gatehouse_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct | string replace -r '^--[^=]*=' '')
    else
      echo $line
    end
  end
end
complete -c gatehouse -f -a '(__gatehouse_complete)'
complete -c kubectl-gatehouse -f -a '(__gatehouse_complete)'`,
};
