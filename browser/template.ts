import $ from 'jquery'

// The server draws what the page is made of; the script finds it and copies it.

/** The first element in `within` that fits. Throws when there is none. */
export function part(row: Element, selector: string): HTMLElement {
  const found = row.querySelector<HTMLElement>(selector)
  if (!found) throw new Error(`There is no ${selector}.`)
  return found
}

/** A copy of what a `<template>` of the page holds. */
export function copyOf(templateId: string): HTMLElement {
  const [template] = $(`#${templateId}`)
  const [copy] = $(template instanceof HTMLTemplateElement ? template.content : []).children()
  if (!copy) throw new Error(`There is no template ${templateId}.`)
  const clone = copy.cloneNode(true)
  if (!(clone instanceof HTMLElement)) throw new Error(`${templateId} is not a template of HTML.`)
  return clone
}
