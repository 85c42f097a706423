import $ from 'jquery'
import { Away, Refused, SignedOut } from '../api.ts'
import { type Shown, show } from './messages.ts'
import { retrying } from './retry.ts'
import { sayEnded } from './session.ts'

export interface Write {
  /** Asks the server. May be called again when the server was away, or the session had ended. */
  readonly send: () => Promise<void>
  /** Takes back what was shown already. */
  readonly refused: (refusal: Refused) => void
}

const SAVED_SHOWN = 2_000

/**
 * What was done on the page and the server does not know yet. Writes go one after the other, in the
 * order in which they were made, so that the last word stands. While the server is away they wait,
 * and are tried again: after a while, when the network is back, or when the person says so. Without
 * a session they wait for the person to sign in elsewhere and come back.
 */
const waiting: Write[] = []
let isSending = false
let saidSaved: ReturnType<typeof setTimeout> | undefined
/** Whether something was refused since all was saved last. */
let hasRefused = false
const retry = retrying(sendAll)
let notice: Shown | undefined
let whenIdle: () => void = () => {}

export const isIdle = (): boolean => waiting.length === 0

let answered = 0

/** How many writes the server has answered. What was read across such an answer may be older than it. */
export const writesAnswered = (): number => answered

/** Sets what to do each time that everything is written. */
export function onIdle(work: () => void): void {
  whenIdle = work
}

export function write(work: Write): void {
  waiting.push(work)
  void sendAll()
}

/** Tries again at once what waits, as when something tells that the server is there. */
export const tryAgain = (): void => void sendAll()

async function sendAll(): Promise<void> {
  if (isSending) return
  isSending = true
  retry.stop()
  const [first] = waiting
  try {
    if (first) await sendOne(first)
  } finally {
    isSending = false
  }
}

async function sendOne(work: Write): Promise<void> {
  const slow = setTimeout(() => $('#save-state').text('Saving…'), 150)
  try {
    await work.send()
  } catch (error) {
    if (error instanceof Away) return waitFor(error)
    if (error instanceof SignedOut) return waitForSession()
    // A mistake of ours must not block the writes behind it.
    if (!(error instanceof Refused)) console.error(error)
    hasRefused = true
    refuse(work, error instanceof Refused ? error : new Refused(0, 'Something went wrong here.'))
  } finally {
    clearTimeout(slow)
  }
  waiting.shift()
  answered++
  retry.reset()
  closeNotice()
  const [next] = waiting
  if (next) return sendOne(next)
  sayIdle()
}

function refuse(work: Write, refusal: Refused): void {
  try {
    work.refused(refusal)
  } catch (error) {
    console.error(error)
  }
}

function sayIdle(): void {
  $('#save-state').text(hasRefused ? '' : 'Saved')
  hasRefused = false
  clearTimeout(saidSaved)
  saidSaved = setTimeout(() => {
    if (isIdle()) $('#save-state').text('')
  }, SAVED_SHOWN)
  whenIdle()
}

function waitFor(away: Away): void {
  $('#save-state').text('Not saved yet')
  const count = waiting.length
  const text = `The server cannot be reached. ${count === 1 ? 'One change waits' : `${count} changes wait`} here, do not close this page.`
  notice?.say(text)
  notice ??= show({
    text,
    isAlarm: true,
    lasts: true,
    action: { label: 'Retry', run: tryAgain },
  })
  retry.later(away)
}

function waitForSession(): void {
  $('#save-state').text('Not saved yet')
  closeNotice()
  sayEnded(sendAll)
}

function closeNotice(): void {
  notice?.close()
  notice = undefined
}

/** Begins to watch the network. */
export function watchNetwork(): void {
  addEventListener('online', tryAgain)
}
