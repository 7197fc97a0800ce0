import { expect, test } from 'vitest'
import { serviceSettings } from '../../src/cli/wiring/service.ts'

test('both listeners are on this machine only unless the project says otherwise', () => {
  expect(serviceSettings()).toMatchObject({ host: '127.0.0.1', port: 8_787, adminHost: '127.0.0.1', adminPort: 8_788 })
  expect(serviceSettings({ admin_host: '10.0.0.7', admin_port: 9_100 })).toMatchObject({
    host: '127.0.0.1',
    adminHost: '10.0.0.7',
    adminPort: 9_100,
  })
  expect(serviceSettings({ host: '0.0.0.0' })).toMatchObject({ host: '0.0.0.0', adminHost: '127.0.0.1' })
})
