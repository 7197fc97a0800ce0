import { sql, type CreateTableBuilder, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { CommandError } from '../core/outcome.ts'
import type { Prepare, StoreEngine } from './engines.ts'

type Engine = StoreEngine['name']
type Database = Kysely<unknown>

/** Migrates the tables to this version. A store of a newer version is refused. */
export async function migrate(engine: Parameters<Prepare>[0]): Promise<void> {
  const migrator = new Migrator({
    db: engine.database,
    provider: { getMigrations: () => Promise.resolve(migrations(engine.name)) },
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  if (error instanceof CommandError) throw error
  throw new CommandError('store_unusable', `the store cannot be migrated to this version: ${message(error)}`, {
    notDone: 'nothing was read or written',
    fix: 'if a newer crossbill wrote this store, use that version; otherwise name a new store in project.yaml and run "crossbill state rebuild"',
    cause: error,
  })
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** In the order of their names. A released migration is never changed. */
function migrations(engine: Engine): Record<string, Migration> {
  return {
    '0001-state': { up: (database) => state(database) },
    '0002-journal': { up: (database) => journal(database, engine) },
    '0003-copy-map': { up: (database) => copyMap(database) },
    '0004-inbox': { up: (database) => inbox(database, engine) },
    '0005-grants': { up: (database) => grants(database) },
    '0006-inbox-cancels': { up: (database) => inboxCancels(database) },
    '0007-holdings': { up: (database) => holdings(database) },
    '0008-inbox-lanes': { up: (database) => inboxLanes(database, engine) },
    '0009-grant-prices': { up: (database) => grantPrices(database) },
    '0010-request-ids': { up: (database) => requestIds(database) },
    '0011-keys-by-row': { up: (database) => keysByRow(database) },
    '0012-grants-by-subscriber': { up: (database) => grantsBySubscriber(database, engine) },
    '0013-inbox-by-cancels': { up: (database) => inboxByCancels(database) },
  }
}

async function state(database: Database): Promise<void> {
  await database.schema
    .createTable('state_version')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('lineage', 'text', (column) => column.notNull())
    .addColumn('serial', 'bigint', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('objects')
    .addColumn('address', 'text', (column) => column.primaryKey())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('applied', 'text')
    .execute()
  await database.schema
    .createTable('subscribers')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('updated', 'bigint', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('leases')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('token', 'bigint', (column) => column.notNull())
    .addColumn('expires_ms', 'bigint', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('named_values')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}

/** A number that grows with every row: the one column whose SQL differs between the engines. */
function numbered<T extends string>(table: CreateTableBuilder<T>, engine: Engine): CreateTableBuilder<T> {
  return engine === 'sqlite'
    ? table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    : table.addColumn('id', 'bigserial', (column) => column.primaryKey())
}

async function journal(database: Database, engine: Engine): Promise<void> {
  await numbered(database.schema.createTable('journal'), engine)
    .addColumn('run', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('params', 'text', (column) => column.notNull())
    .addColumn('idempotency_key', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('result', 'text')
    .addColumn('failure', 'text')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .execute()
  await database.schema.createIndex('journal_by_address').on('journal').columns(['address', 'id']).execute()
  await database.schema.createIndex('journal_by_run').on('journal').columns(['run', 'id']).execute()
  await database.schema.createIndex('journal_by_status').on('journal').columns(['status', 'id']).execute()
}

async function copyMap(database: Database): Promise<void> {
  await database.schema
    .createTable('copy_map')
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('customer_old', 'text', (column) => column.notNull())
    .addColumn('source_old', 'text', (column) => column.notNull())
    .addColumn('customer_new', 'text', (column) => column.notNull())
    .addColumn('source_new', 'text', (column) => column.notNull())
    .addColumn('imported_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('copy_map_key', ['source', 'customer_old', 'source_old'])
    .execute()
}

async function inbox(database: Database, engine: Engine): Promise<void> {
  await database.schema
    .createTable('inbox')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('signal', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('due', 'bigint')
    .addColumn('holder', 'text')
    .addColumn('leased_until', 'bigint', (column) => column.notNull())
    .addColumn('accepted_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await database.schema.createIndex('inbox_by_due').on('inbox').columns(['due', 'accepted_at']).execute()
  await database.schema.createIndex('inbox_by_holder').on('inbox').column('holder').execute()
  await database.schema.createIndex('inbox_by_state').on('inbox').columns(['state', 'updated_at']).execute()
  await database.schema
    .createTable('inbox_keys')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('inbox', 'text', (column) => column.notNull())
    .execute()
  await numbered(database.schema.createTable('inbox_notes'), engine)
    .addColumn('inbox', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .execute()
  await database.schema.createIndex('inbox_notes_by_inbox').on('inbox_notes').columns(['inbox', 'id']).execute()
}

async function grants(database: Database): Promise<void> {
  await database.schema
    .createTable('grants')
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('offer', 'text', (column) => column.notNull())
    .addColumn('customer', 'text', (column) => column.notNull())
    .addColumn('subscribers', 'text', (column) => column.notNull())
    .addColumn('granted_at', 'bigint', (column) => column.notNull())
    .addColumn('protected_until', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('grants_key', ['contact', 'offer'])
    .execute()
  await database.schema.createIndex('grants_by_customer').on('grants').column('customer').execute()
}

/**
 * Signals without a cancel are processed even while cancelling is stopped: restoring a removed hold
 * does not wait for a person.
 */
async function inboxCancels(database: Database): Promise<void> {
  await database.schema
    .alterTable('inbox')
    .addColumn('cancels', 'integer', (column) => column.notNull().defaultTo(1))
    .execute()
}

/** Offers that members hold but that Crossbill did not grant. */
async function holdings(database: Database): Promise<void> {
  await database.schema
    .createTable('holdings')
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('offer', 'text', (column) => column.notNull())
    .addColumn('customer', 'text', (column) => column.notNull())
    .addColumn('subscribers', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('holdings_key', ['contact', 'offer'])
    .execute()
  await database.schema.createIndex('holdings_by_customer').on('holdings').column('customer').execute()
}

/**
 * New signals are found before old ones, the signals of a person without a scan, and dead letters
 * by their cause, for any number of rows. The columns may be empty, so that a process of the
 * earlier version can continue to write.
 */
async function inboxLanes(database: Database, engine: Engine): Promise<void> {
  for (const column of ['contact', 'customer', 'cause'])
    await database.schema.alterTable('inbox').addColumn(column, 'text').execute()
  const field = (text: string, name: string) =>
    engine === 'sqlite'
      ? sql`json_extract(${sql.ref(text)}, ${sql.lit(`$.${name}`)})`
      : sql`${sql.ref(text)}::json ->> ${sql.lit(name)}`
  const reason = field('details', 'reason')
  const cause =
    engine === 'sqlite'
      ? sql`case when instr(${reason}, ':') > 0 then substr(${reason}, 1, instr(${reason}, ':') - 1) else ${reason} end`
      : sql`split_part(${reason}, ':', 1)`
  await sql`update inbox set contact = ${field('signal', 'contact')}, customer = ${field('signal', 'customer')}, cause = ${cause}`.execute(
    database,
  )
  await database.schema.createIndex('inbox_by_age').on('inbox').columns(['state', 'accepted_at']).execute()
  await database.schema.createIndex('inbox_by_arrival').on('inbox').column('accepted_at').execute()
  await database.schema.createIndex('inbox_by_cause').on('inbox').columns(['state', 'cause']).execute()
  await database.schema.createIndex('inbox_by_contact').on('inbox').column('contact').execute()
  await database.schema.createIndex('inbox_by_customer').on('inbox').column('customer').execute()
  await sql`create index inbox_by_change on inbox (updated_at) where due is not null`.execute(database)
  // Few rows have a holder.
  await sql`create index inbox_in_hand on inbox (leased_until) where holder is not null`.execute(database)
}

/** What the member paid for when the offer was given. Of earlier grants, it is not recorded. */
async function grantPrices(database: Database): Promise<void> {
  await database.schema
    .alterTable('grants')
    .addColumn('prices', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
}

/** Stripe's own id of each request, by which its Dashboard and its support find it. */
async function requestIds(database: Database): Promise<void> {
  await database.schema.alterTable('journal').addColumn('request', 'text').execute()
}

/** The keys of a row are found when it is archived. */
async function keysByRow(database: Database): Promise<void> {
  await database.schema.createIndex('inbox_keys_by_inbox').on('inbox_keys').column('inbox').execute()
}

/**
 * The grants of a subscriber without a scan. Triggers keep the table, so that it is also right
 * while a process of the earlier version writes grants.
 */
async function grantsBySubscriber(database: Database, engine: Engine): Promise<void> {
  await database.schema
    .createTable('grant_subscribers')
    .addColumn('subscriber', 'text', (column) => column.notNull())
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('offer', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('grant_subscribers_key', ['subscriber', 'contact', 'offer'])
    .execute()
  await database.schema
    .createIndex('grant_subscribers_by_grant')
    .on('grant_subscribers')
    .columns(['contact', 'offer'])
    .execute()
  for (const statement of engine === 'sqlite' ? sqliteSubscribers : postgresSubscribers)
    await sql.raw(statement).execute(database)
  // Every grant is written once, which runs the triggers.
  await sql`update grants set subscribers = subscribers`.execute(database)
}

/**
 * While cancelling is stopped, only signals without a cancel are claimed: they are found without
 * reading the cancels that wait.
 */
async function inboxByCancels(database: Database): Promise<void> {
  await database.schema.createIndex('inbox_by_cancels').on('inbox').columns(['cancels', 'due', 'accepted_at']).execute()
}

const deleteSubscribers = 'delete from grant_subscribers where contact = old.contact and offer = old.offer'
const insertSubscribers =
  'insert into grant_subscribers select distinct value, new.contact, new.offer from json_each(new.subscribers)'
const sqliteSubscribers = [
  `create trigger grants_inserted after insert on grants begin ${insertSubscribers}; end`,
  `create trigger grants_updated after update on grants begin ${deleteSubscribers}; ${insertSubscribers}; end`,
  `create trigger grants_deleted after delete on grants begin ${deleteSubscribers}; end`,
]
const postgresSubscribers = [
  `create function grants_to_subscribers() returns trigger language plpgsql as $$
  begin
    if tg_op <> 'INSERT' then
      ${deleteSubscribers};
    end if;
    if tg_op <> 'DELETE' then
      insert into grant_subscribers (subscriber, contact, offer)
      select distinct named.value, new.contact, new.offer
      from json_array_elements_text(new.subscribers::json) as named (value);
    end if;
    return null;
  end $$`,
  'create trigger grants_changed after insert or update or delete on grants for each row execute function grants_to_subscribers()',
]
