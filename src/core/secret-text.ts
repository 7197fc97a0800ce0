/**
 * Secrets by their form: keys of Stripe (`sk_live_…`, `rk_test_…`), signing secrets (`whsec_…`),
 * tokens of Slack and GitHub, private keys. The rest of a text that contains them is not secret.
 */
const literals =
  /\b(?:(?:sk|rk)_(?:live|test)_\w{8,}|whsec_[\w+/=-]{8,}|xox[abprs]-[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,})|-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** Where the first secret of a text begins; undefined without one. */
export function secretAt(text: string): number | undefined {
  const at = text.search(literals)
  return at === -1 ? undefined : at
}

const secretName = /secret|password|passwd|token|api_?key|private_?key|credential/i

/** Whether a field is a secret by its name. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/**
 * The same text without secrets, for people: literal secrets, the password in an address, and
 * parameters of an address with a secret's name.
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(new RegExp(literals, 'g'), '(not shown)')
    .replaceAll(/(https?:\/\/)[^\s/?#@]+@/g, '$1(not shown)@')
    .replaceAll(/([?&]([\w.-]+)=)[^&#\s]+/g, (all, start: string, name: string) =>
      isSecretName(name) || /^(?:sig|signature|key|auth|code)$/i.test(name) ? `${start}(not shown)` : all,
    )
}
