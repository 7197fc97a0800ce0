import { completionWord } from '../completions.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** Each script asks the program itself, so that it fits every version that is installed. */
const scripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: `_crossbill() {
  local IFS=$'\\n'
  COMPREPLY=($(crossbill ${completionWord} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _crossbill crossbill`,
  zsh: `#compdef crossbill
_crossbill() {
  local -a found
  found=("\${(@f)$(crossbill ${completionWord} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _crossbill crossbill`,
  fish: `complete -c crossbill -a '(crossbill ${completionWord} (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
}

export const main = command({
  positionals: {
    shell: { type: 'string', choices: shells, demandOption: true, describe: 'shell that reads the script' },
  },
  options: {},
  examples: [
    ['completion bash >> ~/.bashrc', 'complete commands, flags and their values in bash'],
    ['completion zsh >> ~/.zshrc', 'the same in zsh, after compinit'],
    ['completion fish > ~/.config/fish/completions/crossbill.fish', 'the same in fish'],
  ],
  formats: ['text'],
  run({ shell: name }, shell) {
    // Not shell.out, which adds the flag of the project to commands that a text names.
    shell.surroundings.stdout.write(`${scripts[name]}\n`)
    return Promise.resolve(exitCodes.fine)
  },
})
