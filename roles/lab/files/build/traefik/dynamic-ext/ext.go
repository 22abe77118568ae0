// Package ext stands in for a nested module of Traefik that no module proxy
// serves. Traefik embeds these types so that its commercial edition can extend
// the dynamic configuration; the open edition leaves them empty, and so do we.
package ext

// HTTP extends the HTTP section of the dynamic configuration.
type HTTP struct{}

// Router extends a router.
type Router struct{}

// RouterIng extends a router as the ingress providers see it.
type RouterIng struct{}

// ToRouter returns the router extension of an ingress router.
func (RouterIng) ToRouter() Router { return Router{} }
