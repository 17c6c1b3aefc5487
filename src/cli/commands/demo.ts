import { defineCommand } from '../command.ts'
import { DONE } from '../endings.ts'

export const demo = defineCommand({
  name: 'demo',
  summary: 'show what coatcheck does, in about five seconds',
  parameters: {},
  options: {},
  details: [],
  examples: ['npx coatcheck demo'],

  run: async () => {
    const { tellStory } = await import('../../demo/story.ts')
    await tellStory()
    return DONE
  },
})
