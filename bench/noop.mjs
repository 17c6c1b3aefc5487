// The function that is called, under the name and as the default export that each contender wants.
export function noop() {}

export default noop
