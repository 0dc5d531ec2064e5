// Command client sends a GET to the URL in its environment and prints the status. Without a URL it prints its user name,
// which it asks the API server for with a pod's credentials.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

const credentials = "/var/run/secrets/kubernetes.io/serviceaccount/"

func main() {
	if url := os.Getenv("URL"); url != "" {
		response, err := http.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(response.Status)
		return
	}
	whoAmI()
}

func whoAmI() {
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(read("ca.crt"))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority}}}
	url := "https://" + os.Getenv("KUBERNETES_SERVICE_HOST") + ":" + os.Getenv("KUBERNETES_SERVICE_PORT")
	body := strings.NewReader(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)
	request, err := http.NewRequest(http.MethodPost, url+"/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+string(read("token")))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	var review struct {
		Status struct{ UserInfo struct{ Username string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&review); err != nil {
		log.Fatal(err)
	}
	fmt.Println(review.Status.UserInfo.Username)
}

func read(name string) []byte {
	data, err := os.ReadFile(credentials + name)
	if err != nil {
		log.Fatal(err)
	}
	return data
}
