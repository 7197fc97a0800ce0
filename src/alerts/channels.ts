import type { Alert } from '../engine/inbox/context.ts'

/** The request that delivers one alert to a channel. */
interface Message {
  readonly url: string
  readonly body: unknown
}

/** Builds the request for one channel. The channel's address or key is a secret. */
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
    return { url, body: { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }, ...help] } }
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
      : {
          url: 'https://events.pagerduty.com/v2/enqueue',
          body: {
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
          },
        }
}

/** Any service that accepts JSON. */
export function webhook(url: string): Channel {
  return (alert, { project, at }) => ({ url, body: { ...alert, project, at, resolved: alert.resolved === true } })
}
