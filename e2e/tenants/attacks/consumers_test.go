package attacks

import (
	"net/http"
	"testing"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// consumers are attacks by consumers and their credentials on a gateway on which the consumers of all
// namespaces are known everywhere.
func consumers() []attack {
	return []attack{
		{
			name:  "a consumer with another's username",
			steps: []string{consumer(attacker, "alice", "alice", []string{"taken"}) + credential(attacker, "taken", "key-auth", "key=another")},
			told:  []string{"KongConsumer attacker/alice"},
		}, {
			name:  "a consumer with another's credential",
			steps: []string{consumer(attacker, "mallory", "mallory", []string{"taken"}) + credential(attacker, "taken", "key-auth", "key="+aliceKey)},
			told:  []string{"KongConsumer attacker/mallory"},
		}, {
			name: "a consumer with another's custom_id",
			steps: []string{object("configuration.konghq.com/v1", "KongConsumer", attacker, "guest", "kubernetes.io/ingress.class=kong") +
				"username: another\ncustom_id: shop-guest\n"},
			told: []string{"KongConsumer attacker/guest"},
		}, {
			// Kong finds the anonymous consumer by its username or id.
			name: "a consumer that is called as another's custom_id or id",
			steps: []string{consumer(attacker, "one", "shop-guest", nil) + object("configuration.konghq.com/v1", "KongConsumer", attacker, "two", "kubernetes.io/ingress.class=kong") +
				"custom_id: guest\n" + consumer(attacker, "three", kong.ID(kong.Consumers, "guest"), nil)},
		}, {
			name: "groups with commas and spaces",
			steps: []string{consumer(attacker, "mallory", "mallory", []string{"mallory-key", "comma", "space"}) +
				credential(attacker, "mallory-key", "key-auth", "key="+malloryKey) +
				credential(attacker, "comma", "acl", "group=x, members") + credential(attacker, "space", "acl", "group= members ")},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					if a, err := w.do(http.MethodGet, "private.shop.test", "/", false, map[string]string{"apikey": malloryKey}); err != nil || a.status < 400 {
						t.Errorf("the consumer is a member: %d, %v", a.status, err)
					}
				}
			},
		}, {
			name: "a consumer's own plugins on another namespace's routes",
			steps: []string{plugin(attacker, "lifts", "rate-limiting", `{"minute": 77, "policy": "local"}`) +
				plugin(attacker, "enters", "ip-restriction", `{"allow": ["0.0.0.0/0"]}`) +
				plugin(attacker, "answers", "request-termination", `{"status_code": 200, "message": "taken"}`) +
				keyed(attacker, "mallory", malloryKey, "plugins=lifts,enters,answers")},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					for host, status := range map[string]int{"office.shop.test": 403, "guarded.shop.test": 403, "private.shop.test": 403} {
						a, err := w.do(http.MethodGet, host, "/", false, map[string]string{"apikey": malloryKey})
						if err != nil || a.status != status {
							t.Errorf("%s answers the consumer %d, not %d: %.100s, %v", host, a.status, status, a.body, err)
						}
					}
				}
			},
		}, {
			name: "tags that are another's object",
			steps: []string{plugin(attacker, "wrong", "cors", `{"origins": 5}`) +
				ingress(attacker, "wrong", "wrong.attacker.test", "/", "web", "plugins=wrong", "tags=k8s-name:web,k8s-namespace:shop,k8s-kind:Ingress,k8s-group:networking.k8s.io,k8s-version:v1")},
			told: []string{"Ingress attacker/wrong"},
		},
	}
}
