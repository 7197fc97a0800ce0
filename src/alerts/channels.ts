import type { Alert } from '../engine/inbox/context.ts'

/** The outcome of one attempt to deliver. */
interface Attempted {
  readonly done: 'delivered' | 'refused' | 'later'
  /** Seconds that the channel asks for before the next attempt. */
  readonly retryAfter: number
}

/** One attempt to deliver a message; an attempt may be repeated. */
type Message = (fetch: typeof globalThis.fetch) => Promise<Attempted>

/**
 * Builds the message of one alert for one channel; undefined when the channel does not want it. The
 * channel's address or key is a secret.
 */
export type Channel = (alert: Alert, from: AlertSource) => Message | undefined

interface AlertSource {
  /** Name of the project, so that two services can share one channel. */
  readonly project: string
  /** ISO instant. */
  readonly at: string
}

/**
 * Slack's incoming webhooks and services that accept the same body:
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slack(url: string): Channel {
  return (alert, { project }) => {
    const sign =
      alert.resolved === true
        ? ':white_check_mark: over'
        : alert.severity === 'critical'
          ? ':rotating_light:'
          : ':warning:'
    const text = `${sign} *${slackText(project)}*: ${slackText(alert.summary)}`
    const help =
      alert.resolved === true
        ? []
        : [{ type: 'context', elements: [{ type: 'mrkdwn', text: `\`${slackText(alert.fix)}\`` }] }]
    return posted(url, { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }, ...help] })
  }
}

/**
 * Escapes the three characters that Slack interprets:
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/**
 * https://developer.pagerduty.com/docs/events-api-v2/trigger-events: the key that triggers an
 * incident also resolves it.
 */
export function pagerDuty(routingKey: string): Channel {
  // A digest opens no incident: each of its causes has one already.
  return (alert, { project, at }) =>
    alert.digest === true
      ? undefined
      : posted('https://events.pagerduty.com/v2/enqueue', {
          routing_key: routingKey,
          event_action: alert.resolved === true ? 'resolve' : 'trigger',
          dedup_key: `crossbill/${project}/${alert.group ?? alert.key}`.slice(0, 255),
          payload: {
            summary: alert.summary.slice(0, 1_024),
            source: project,
            severity: alert.severity,
            timestamp: at,
            component: 'crossbill',
            custom_details: { fix: alert.fix },
          },
        })
}

/** Any service that accepts JSON. */
export function webhook(url: string): Channel {
  return (alert, { project, at }) => posted(url, { ...alert, project, at, resolved: alert.resolved === true })
}

/** One request of JSON. */
function posted(url: string, message: unknown): Message {
  const body = JSON.stringify(message)
  return async (fetch) => {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
      })
      await answer.arrayBuffer()
      const asked = Number(answer.headers.get('retry-after') ?? 0)
      const retryAfter = Number.isFinite(asked) ? Math.min(asked, 600) : 0
      if (answer.ok) return { done: 'delivered', retryAfter }
      return { done: answer.status === 429 || answer.status >= 500 ? 'later' : 'refused', retryAfter }
    } catch {
      // The channel did not answer, the connection broke, or it was too slow. An alert that arrives
      // twice is better than a lost one.
      return { done: 'later', retryAfter: 0 }
    }
  }
}
