import type { FastifyReply, FastifyRequest } from 'fastify'
import { localPath } from '../lib/local-path.ts'
import type { Problem } from '../lib/problem.ts'
import { html } from './html.ts'
import { sendPage } from './send-page.ts'
import { waitAfter } from './wait.ts'

/** What a person would rather read than the name of the status. */
const headings: Readonly<Record<number, string>> = {
  400: 'The browser sent something we cannot read',
  401: 'Please sign in',
  403: 'This is not allowed',
  404: 'There is nothing here',
  405: 'This page does not take that',
  409: 'Something changed meanwhile',
  413: 'That is too much at once',
  422: 'Something in the request is not right',
  429: 'That was too often',
  500: 'Something went wrong on our side',
  503: 'We are not ready right now',
}

/** Answers with the page for a failure: what happened, and where to go from here. */
export function sendErrorPage(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
): FastifyReply {
  const heading = headings[problem.status] ?? problem.title
  const wait = waitAfter(problem)
  const isReading = request.method === 'GET'
  return sendPage(request, reply, {
    title: heading,
    content: html`
      <section class="card card-narrow error-page">
        <p class="error-status">${problem.status}</p>
        <h1>${heading}</h1>
        <p>${problem.detail}</p>
        ${
          problem.errors &&
          problem.errors.length > 1 &&
          html`<ul>${problem.errors.map(({ loc, msg }) => html`<li>${loc.at(-1)} ${msg}</li>`)}</ul>`
        }
        ${wait && html`<p>${wait}</p>`}
        <p class="actions">
          ${wait && isReading && html`<a class="button" href="${localPath(request.originalUrl, '/home')}">Try again</a>`}
          <a class="${wait && isReading ? 'button-quiet' : 'button'}" href="/home">To my todos</a>
        </p>
        <p class="hint">Request ${request.id}</p>
      </section>`,
  })
}
