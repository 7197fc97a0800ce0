// https://docs.stripe.com/api/payment_method_domains
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, flag, required, text } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

interface DomainRow extends Row {
  readonly domain_name: string
  readonly enabled: boolean
}

const domains: TableDefinition<DomainRow> = { name: 'payment_method_domains' }
const kind: Kind<DomainRow> = {
  table: domains,
  noun: 'payment_method_domain',
  url: '/v1/payment_method_domains',
  permission: 'payment_method_domains',
  render,
}
const permission = kind.permission

export const paymentMethodDomainModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission,
      params: fields({ domain_name: required(text({ max: 253 })), enabled: flag() }),
      handle(context, params) {
        const { domain_name } = params
        if (!/^([a-z0-9-]+\.)+[a-z0-9-]+$/i.test(domain_name))
          throw invalid(`Invalid domain name: ${domain_name}`, { param: 'domain_name' })
        if ([...context.table(domains).all()].some((row) => row.domain_name === domain_name))
          throw invalid(`The domain ${domain_name} has already been registered.`, { param: 'domain_name' })
        const row = { id: context.newId('pmd'), created: context.now, domain_name, enabled: params.enabled ?? true }
        return render(context, context.table(domains).put(row))
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission,
      params: fields({ enabled: flag() }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        return render(context, context.table(domains).put({ ...row, enabled: params.enabled ?? row.enabled }))
      },
    }),
    route('POST', `${kind.url}/:id/validate`, {
      permission,
      params: fields({}),
      handle: (context) => render(context, find(context, kind, context.id('id'))),
    }),
    route('GET', kind.url, {
      permission,
      params: fields({ ...paging, domain_name: text(), enabled: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: domains,
          url: kind.url,
          keep: (row) =>
            (params.enabled === undefined || row.enabled === params.enabled) &&
            (params.domain_name === undefined || row.domain_name === params.domain_name),
          render,
        }),
    }),
  ],
}

function render(context: Context, row: DomainRow): Wire<Stripe.PaymentMethodDomain> {
  const wallet = { status: row.enabled ? 'active' : 'inactive' } as const
  return {
    id: row.id,
    object: 'payment_method_domain',
    amazon_pay: wallet,
    apple_pay: wallet,
    created: row.created,
    domain_name: row.domain_name,
    enabled: row.enabled,
    google_pay: wallet,
    klarna: wallet,
    link: wallet,
    livemode: context.livemode,
    paypal: wallet,
  }
}
