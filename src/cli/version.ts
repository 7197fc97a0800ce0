import packageJson from '../../package.json' with { type: 'json' }

/** `crossbill 0.1.0`: --version prints it, and plans contain it. */
export const tool = `crossbill ${packageJson.version}`
